/** The pages behind links in mails, as browsers and the programs that look at mails use them. */

import assert from "node:assert/strict";
import { type Auth, LOGIN, PASSWORD, withAuth } from "../testing/auth.ts";
import { makeLink } from "./links.ts";

const NEW_PASSWORD = "another horse";

/** A page as a browser asks for it, or posts its form. */
async function open({ app }: Pick<Auth, "app">, path: string, form?: Record<string, string>) {
  const response = await app.request(
    path,
    form && {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: "null" },
      body: new URLSearchParams(form).toString(),
    },
  );
  return { status: response.status, headers: response.headers, text: await response.text() };
}

Deno.test("account pages - GET and HEAD of a link change nothing, its form confirms the address once", () =>
  withAuth(async (auth) => {
    const { app, sql, signUp } = auth;
    const { user } = await signUp("ann@example.com");
    const token = await makeLink(sql, "confirm", user.id);
    const isConfirmed = async () => (await sql`select from users where confirmed_at is not null`).length === 1;
    for (let nth = 0; nth < 3; nth++) {
      const page = await open(auth, `/account/confirm?token=${token}`);
      assert.equal(page.status, 200);
      assert.match(page.text, /<bdi>ann@example\.com<\/bdi>/);
      assert.match(
        page.text,
        new RegExp(`<form method="post" action="confirm"><input type="hidden" name="token" value="${token}">`),
      );
      assert.equal((await app.request(`/account/confirm?token=${token}`, { method: "HEAD" })).status, 200);
      // Not what a link scanner that posts, but knows no forms, sends.
      assert.equal((await app.request(`/account/confirm?token=${token}`, { method: "POST" })).status, 404);
    }
    assert.equal(await isConfirmed(), false);
    const done = await open(auth, "/account/confirm", { token });
    assert.deepEqual([done.status, await isConfirmed()], [200, true]);
    assert.match(done.text, /Your address is confirmed/);
    assert.ok(!done.text.includes(token) && !done.text.includes("<form"));
    assert.deepEqual([done.headers.get("location"), done.headers.get("set-cookie")], [null, null]);
    for (
      const again of [
        await open(auth, "/account/confirm", { token }),
        await open(auth, `/account/confirm?token=${token}`),
      ]
    ) {
      assert.equal(again.status, 404);
      assert.match(again.text, /This link is not known.*pressed the button before, that counted/s);
    }
  }));

Deno.test("account pages - a form with a wrong password is shown again with what is wrong, and its link still works", () =>
  withAuth(async (auth) => {
    const { app, sql, signUp, ask } = auth;
    const { user } = await signUp("ann@example.com");
    const token = await makeLink(sql, "reset", user.id);
    const page = await open(auth, `/account/reset?token=${token}`);
    assert.equal(page.status, 200);
    assert.equal([...page.text.matchAll(/<input type="password"/g)].length, 2);
    const wrong: [string, string, RegExp][] = [
      [NEW_PASSWORD, "another house", /The two passwords are not the same\./],
      ["short", "short", /Password takes 8 to 128 characters\./],
      ["", "", /Password takes 8 to 128 characters\./],
      ["x".repeat(129), "x".repeat(129), /Password takes 8 to 128 characters\./],
    ];
    for (const [password, repeated, told] of wrong) {
      const again = await open(auth, "/account/reset", { token, password, repeated });
      assert.equal(again.status, 400);
      assert.match(again.text, told);
      assert.match(again.text, new RegExp(`name="token" value="${token}"`));
      assert.ok(password === "" || !again.text.includes(`"${password}"`));
    }
    const longest = "🦊".repeat(128);
    const done = await open(auth, "/account/reset", { token, password: longest, repeated: longest });
    assert.deepEqual([done.status, /Your password is changed/.test(done.text)], [200, true]);
    assert.equal((await sql`select from sessions`).length, 0);
    assert.ok((await ask(LOGIN, { email: "ann@example.com", password: longest })).login.token);
    assert.equal(await ask(LOGIN, { email: "ann@example.com", password: PASSWORD }), "UNAUTHENTICATED");
    const again = await open(auth, "/account/reset", { token, password: NEW_PASSWORD, repeated: NEW_PASSWORD });
    assert.equal(again.status, 404);
    const tooLarge = await app.request("/account/reset", { method: "POST", body: "x".repeat(10_000) });
    assert.deepEqual([tooLarge.status, (await tooLarge.json()).code], [413, "BAD_USER_INPUT"]);
  }));

Deno.test("account pages - are strict, are kept nowhere, show an address as text, and say when the database is away", () =>
  withAuth(async (auth) => {
    const { sql, signUp } = auth;
    const hostile = `"<script>alert(1)</script>"@example.com`;
    const { user } = await signUp("ann@example.com");
    await sql`update users set email = ${hostile}`;
    for (const kind of ["confirm", "reset"] as const) {
      const token = await makeLink(sql, kind, user.id);
      const page = await open(auth, `/account/${kind}?token=${token}`);
      assert.ok(!page.text.includes("<script") && page.text.includes("&#60;script&#62;"), page.text);
      const policy = page.headers.get("content-security-policy")!;
      assert.match(policy, /^default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'/);
      assert.equal(page.headers.get("cache-control"), "no-store");
      assert.equal(page.headers.get("referrer-policy"), "no-referrer");
      // Of its own kind alone.
      const other = kind === "confirm" ? "reset" : "confirm";
      assert.equal((await open(auth, `/account/${other}?token=${token}`)).status, 404);
      assert.equal(
        (await open(auth, `/account/${other}`, { token, password: PASSWORD, repeated: PASSWORD })).status,
        404,
      );
    }
    for (
      const path of [
        "/account/reset",
        "/account/confirm?token=",
        "/account/reset?token=%00",
        "/account/reset?token=%ff",
      ]
    ) {
      assert.equal((await open(auth, path)).status, 404, path);
    }
    await sql.end();
    const away = await open(auth, `/account/reset?token=${"A".repeat(43)}`);
    assert.deepEqual([away.status, away.headers.get("retry-after")], [503, "2"]);
    assert.match(away.text, /This can't be done just now/);
  }));
