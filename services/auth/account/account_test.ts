/** What links in mails do, and what they don't: used twice, at once, too late, by others, for another end. */

import assert from "node:assert/strict";
import type { Sql } from "../../../kit/database.ts";
import { type Auth, LOGIN, PASSWORD, REGISTER, withAuth } from "../testing/auth.ts";
import { AccountRequests } from "./requests.ts";

const REQUEST = "mutation ($email: String!) { requestPasswordReset(email: $email) }";
const RESET = "mutation ($token: String!, $password: String!) { resetPassword(token: $token, password: $password) }";
const CONFIRM = "mutation ($token: String!) { confirmAddress(token: $token) }";
const REQUEST_CONFIRMATION = "mutation { requestAddressConfirmation }";
const NEW_PASSWORD = "another horse";
const CONFIRMING = { confirmAddresses: true };

interface Outgoing {
  readonly to: string;
  readonly template: string;
  readonly data: { readonly url: string };
}

/** The mails that wait in the outbox, oldest first. */
async function mails(sql: Sql): Promise<Outgoing[]> {
  return (await sql<{ mail: Outgoing }[]>`select mail from mail_outbox order by queued_at, id`).map(({ mail }) => mail);
}

/** The token of the newest mail's link. */
async function newestToken(sql: Sql): Promise<string> {
  return new URL((await mails(sql)).at(-1)!.data.url).searchParams.get("token")!;
}

async function resetToken({ ask, requests, sql }: Auth, email: string): Promise<string> {
  assert.deepEqual(await ask(REQUEST, { email }), { requestPasswordReset: true });
  assert.equal(await requests.answer(), 1);
  return await newestToken(sql);
}

const reset = ({ ask }: Auth, token: unknown, password = NEW_PASSWORD) => ask(RESET, { token, password });
const login = async ({ ask }: Auth, email: string, password: string) => typeof await ask(LOGIN, { email, password });

/** Neither of these is anybody's token. */
const MALFORMED = [
  "",
  "x",
  "\0",
  "'",
  "A".repeat(42),
  "A".repeat(43),
  "A".repeat(44),
  "é".repeat(43),
  "A".repeat(9_999),
];

Deno.test("account - a token replaces one password, once, and ends that user's sessions alone", () =>
  withAuth(async (auth) => {
    const { sql, signUp, exchange } = auth;
    const [ann, bob] = [await signUp("Ann@example.com"), await signUp("bob@example.com")];
    const token = await resetToken(auth, " ANN@example.com ");
    const [mail] = await mails(sql);
    assert.deepEqual([mail!.to, mail!.template], ["Ann@example.com", "reset"]);
    assert.equal(mail!.data.url, `https://notifyx.example/account/reset?token=${token}`);
    assert.match(token, /^[\w-]{43}$/);
    const [link] = await sql`select token_hash from account_links`;
    assert.deepEqual(
      [...link!.token_hash],
      [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)))],
    );

    for (const wrong of ["", "1234567", "x".repeat(129), `${PASSWORD}\0`]) {
      assert.equal(await reset(auth, token, wrong), "BAD_USER_INPUT");
    }
    assert.deepEqual(await reset(auth, token), { resetPassword: true });
    assert.equal(await reset(auth, token, "a third password"), "NOT_FOUND");
    assert.equal((await exchange({ token: ann.token })).status, 401);
    assert.equal((await exchange({ token: bob.token })).status, 200);
    assert.equal(await login(auth, "ann@example.com", PASSWORD), "string");
    assert.equal(await login(auth, "ann@example.com", NEW_PASSWORD), "object");
    assert.equal(await login(auth, "bob@example.com", PASSWORD), "object");
    const told = (await mails(sql)).filter(({ template }) => template === "replaced");
    assert.deepEqual(told.map(({ to }) => to), ["Ann@example.com"]);
  }));

Deno.test("account - no token works that is malformed, too old, of another kind, or older than the newest", () =>
  withAuth(async (auth) => {
    const { ask, sql, signUp } = auth;
    await signUp("ann@example.com");
    const confirming = await newestToken(sql);
    const first = await resetToken(auth, "ann@example.com");
    const second = await resetToken(auth, "ann@example.com");
    const [{ hash }] = await sql`select password_hash as hash from users` as unknown as [{ hash: string }];
    for (const token of [...MALFORMED, first, confirming]) assert.equal(await reset(auth, token), "NOT_FOUND", token);
    for (const token of [...MALFORMED, first, second]) {
      assert.equal(await ask(CONFIRM, { token }), "NOT_FOUND", token);
    }
    await sql`update account_links set expires_at = now()`;
    assert.equal(await reset(auth, second), "NOT_FOUND");
    assert.equal(await ask(CONFIRM, { token: confirming }), "NOT_FOUND");
    const [user] = await sql`select password_hash as hash, confirmed_at, password_version from users`;
    assert.deepEqual(user, { hash, confirmed_at: null, password_version: 0 });
    assert.equal((await sql`select from sessions`).length, 1);
  }, CONFIRMING));

Deno.test("account - of many that use one token at once one wins", () =>
  withAuth(async (auth) => {
    const { ask, sql, signUp } = auth;
    for (const email of ["ann@example.com", "bob@example.com"]) {
      await signUp(email);
      const confirming = await newestToken(sql);
      const confirmed = await Promise.all(Array.from({ length: 8 }, () => ask(CONFIRM, { token: confirming })));
      assert.equal(confirmed.filter((one) => one.confirmAddress === true).length, 1);
      assert.equal(confirmed.filter((one) => one === "NOT_FOUND").length, 7);

      const token = await resetToken(auth, email);
      const passwords = Array.from({ length: 8 }, (_, nth) => `password number ${nth}`);
      const answers = await Promise.all(passwords.map((password) => reset(auth, token, password)));
      const winners = passwords.filter((_, nth) => answers[nth].resetPassword === true);
      assert.equal(winners.length, 1, JSON.stringify(answers));
      assert.equal(answers.filter((one) => one === "NOT_FOUND").length, 7);
      for (const password of passwords) {
        assert.equal(await login(auth, email, password), password === winners[0] ? "object" : "string");
      }
    }
    assert.deepEqual((await mails(sql)).filter(({ template }) => template === "replaced").length, 2);
  }, CONFIRMING));

Deno.test("account - a login with the old password that is under way begins no session behind the reset", () =>
  withAuth(async (auth) => {
    const { sql, signUp } = auth;
    await signUp("ann@example.com");
    for (let round = 0; round < 6; round++) {
      const [old, next] = [round, round + 1].map((nth) => nth === 0 ? PASSWORD : `password number ${nth}`);
      const token = await resetToken(auth, "ann@example.com");
      await sql`delete from account_rates`;
      const logins = Array.from({ length: 4 }, () => login(auth, "ann@example.com", old!));
      assert.deepEqual(await reset(auth, token, next), { resetPassword: true });
      await Promise.all(logins);
      assert.equal((await sql`select from sessions`).length, 0);
    }
  }));

/** `sql`, and the texts of the statements that it is asked. */
function noted(sql: Sql): { readonly sql: Sql; readonly texts: string[] } {
  const texts: string[] = [];
  const apply = (target: (...given: unknown[]) => unknown, self: unknown, given: unknown[]) => {
    if (Array.isArray((given[0] as { raw?: unknown })?.raw)) texts.push((given[0] as string[]).join("?"));
    return Reflect.apply(target, self, given);
  };
  return { sql: new Proxy(sql, { apply: apply as never }), texts };
}

Deno.test("account - who asks can't tell whether an address is someone's: same answer, same statement, same limit", () =>
  withAuth(async (auth) => {
    const { ask, sql, signUp, log, app, anonymous } = auth;
    await signUp("ann@example.com");
    const statements = [];
    for (const emailKey of ["ann@example.com", "nobody@example.com"]) {
      const { sql: watched, texts } = noted(sql);
      const requests = new AccountRequests({ sql: watched, publicUrl: "https://notifyx.example", perHour: 2, log });
      for (let nth = 0; nth < 2; nth++) await requests.ask("reset", emailKey);
      const { code, extensions } = await requests.ask("reset", emailKey).then(() => assert.fail(), (error) => error);
      assert.equal(code, "RATE_LIMITED");
      assert.ok(extensions.retryAfterSeconds > 3_590 && extensions.retryAfterSeconds <= 3_600);
      statements.push(texts);
    }
    assert.deepEqual(statements[0], statements[1]);
    assert.equal(statements[0]!.length, 4);
    assert.deepEqual([...await sql`select email_key, count(*) from account_requests group by 1 order by 1`], [
      { email_key: "ann@example.com", count: 2 },
      { email_key: "nobody@example.com", count: 2 },
    ]);
    await sql`delete from account_rates`;

    const answers = new Set<string>();
    const emails = ["ann@example.com", "nobody@example.com"];
    for (let round = 0; round < 5; round++) {
      for (const email of emails) {
        const response = await app.request("/graphql", {
          method: "POST",
          headers: { "content-type": "application/json", "x-notifyx-identity": anonymous },
          body: JSON.stringify({ query: REQUEST, variables: { email } }),
        });
        answers.add(`${response.status} ${await response.text()}`);
      }
    }
    assert.deepEqual([...answers], ['200 {"data":{"requestPasswordReset":true}}']);
    for (const email of emails) assert.equal(await ask(REQUEST, { email }), "RATE_LIMITED");
    for (const wrong of ["", "ann", "ann\0@example.com"]) {
      assert.equal(await ask(REQUEST, { email: wrong }), "BAD_USER_INPUT");
    }
  }));

Deno.test("account - requests are answered once over all nodes, one mail of a kind for each user; what is unanswered is found", () =>
  withAuth(async (auth) => {
    const { ask, sql, signUp, requests, log } = auth;
    for (const name of ["ann", "bob", "carl"]) await signUp(`${name}@example.com`);
    for (let nth = 0; nth < 3; nth++) {
      for (const name of ["carl", "ann", "nobody"]) await ask(REQUEST, { email: `${name}@example.com` });
    }
    assert.equal(await requests.answer(), 9);
    assert.deepEqual((await mails(sql)).map(({ to }) => to), ["ann@example.com", "carl@example.com"]);
    assert.equal((await sql`select from account_requests`).length, 0);
    for (let nth = 0; nth < 300; nth++) {
      await sql`insert into account_requests (email_key, kind) values (${`${nth}@example.com`}, 'reset')`;
    }
    await sql`insert into account_requests (email_key, kind) values ('bob@example.com', 'reset')`;
    await sql`update account_rates set began_at = now() - interval '61 minutes'`;
    await sql`update account_links set expires_at = now()`;
    const nodes = Array.from(
      { length: 2 },
      () => new AccountRequests({ sql, publicUrl: "https://notifyx.example", perHour: 5, log }),
    );
    for (const node of nodes) node.start();
    const left = async () => (await sql`select from account_requests union all select from account_rates`).length;
    while (await left() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all(nodes.map((node) => node.stop()));
    assert.deepEqual((await mails(sql)).map(({ to }) => to), [
      "ann@example.com",
      "carl@example.com",
      "bob@example.com",
    ]);
    assert.equal((await sql`select from account_links`).length, 1);
  }));

Deno.test("account - a registration that fails sends no mail; nor is a link used by a reset that fails", () =>
  withAuth(async (auth) => {
    const { ask, sql, signUp } = auth;
    const failing = async (table: string, operation: string) => {
      await sql.unsafe(`create or replace function fail() returns trigger language plpgsql as
        $$ begin raise exception 'as the test has it'; end $$;
        create trigger fail before ${operation} on ${table} execute function fail()`);
      return { [Symbol.asyncDispose]: async () => void await sql.unsafe(`drop trigger fail on ${table}`) };
    };
    const given = { email: "ann@example.com", password: PASSWORD };
    {
      await using _ = await failing("sessions", "insert");
      assert.equal(await ask(REGISTER, given), "INTERNAL");
    }
    const rows = async () =>
      (await sql`select (select count(*) from users) as users, (select count(*) from account_links) as links,
        (select count(*) from mail_outbox) as mails`)[0];
    assert.deepEqual(await rows(), { users: 0, links: 0, mails: 0 });
    await signUp("ann@example.com");
    assert.deepEqual(await rows(), { users: 1, links: 1, mails: 1 });
    assert.equal(await ask(REGISTER, given), "CONFLICT");
    assert.deepEqual(await rows(), { users: 1, links: 1, mails: 1 });
    const token = await resetToken(auth, "ann@example.com");
    {
      await using _ = await failing("mail_outbox", "insert");
      assert.equal(await reset(auth, token), "INTERNAL");
    }
    assert.equal(await login(auth, "ann@example.com", PASSWORD), "object");
    assert.deepEqual(await reset(auth, token), { resetPassword: true });
  }, CONFIRMING));

Deno.test("account - who registers confirms their address; until then they are told so, and the others' aren't", () =>
  withAuth(async (auth) => {
    const { ask, sql, signUp, asMember, identityOf, requests } = auth;
    const [ann, bob] = [await signUp("ann@example.com"), await signUp("bob@example.com")];
    const [forAnn, forBob] = (await mails(sql)).map(({ data }) => new URL(data.url).searchParams.get("token")!);
    const confirmed = async ({ identity }: { identity: string }) =>
      (await ask("{ me { addressConfirmed } }", {}, identity)).me;
    const users = async () =>
      (await asMember("/api/users", { ids: [ann.user.id, crypto.randomUUID(), bob.user.id.toUpperCase()] })).body
        .map((user: { confirmed: boolean } | null) => user?.confirmed);
    assert.deepEqual(await confirmed(ann), { addressConfirmed: false });
    assert.deepEqual(await users(), [false, undefined, false]);
    // Whoever is signed in: the token says whose address it is.
    assert.deepEqual(await ask(CONFIRM, { token: forAnn }, bob.identity), { confirmAddress: true });
    assert.deepEqual(await confirmed(ann), { addressConfirmed: true });
    assert.deepEqual(await confirmed(bob), { addressConfirmed: false });
    assert.deepEqual(await users(), [true, undefined, false]);
    const other = "query ($id: ID!) { user(id: $id) { email addressConfirmed } }";
    assert.deepEqual(await ask(other, { id: ann.user.id }, bob.identity), {
      user: { email: "ann@example.com", addressConfirmed: null },
    });
    const says = async (token: string) => JSON.parse(atob((await identityOf(token)).split(".")[1]!)).unconfirmed;
    assert.deepEqual([await says(ann.token), await says(bob.token)], [undefined, true]);

    assert.equal(await ask(CONFIRM, { token: forAnn }), "NOT_FOUND");
    assert.deepEqual(await ask(REQUEST_CONFIRMATION, {}, ann.identity), { requestAddressConfirmation: true });
    assert.equal(await requests.answer(), 0);
    for (let nth = 0; nth < 5; nth++) {
      assert.deepEqual(await ask(REQUEST_CONFIRMATION, {}, bob.identity), { requestAddressConfirmation: true });
    }
    assert.equal(await ask(REQUEST_CONFIRMATION, {}, bob.identity), "RATE_LIMITED");
    assert.equal(await ask(REQUEST_CONFIRMATION), "UNAUTHENTICATED");
    assert.equal(await requests.answer(), 5);
    assert.equal(await ask(CONFIRM, { token: forBob }), "NOT_FOUND");
    assert.deepEqual(await ask(CONFIRM, { token: await newestToken(sql) }), { confirmAddress: true });
    assert.equal((await mails(sql)).length, 3);

    // Who has read a mail for a new password has read mails to that address.
    await signUp("carl@example.com");
    const stale = await newestToken(sql);
    assert.deepEqual(await reset(auth, await resetToken(auth, "carl@example.com")), { resetPassword: true });
    assert.equal(await ask(CONFIRM, { token: stale }), "NOT_FOUND");
    assert.equal((await sql`select from users where confirmed_at is null`).length, 0);
  }, CONFIRMING));

Deno.test("account - where addresses need no confirmation nothing is sent, and nobody is told anything of it", () =>
  withAuth(async ({ ask, sql, signUp, asMember, identityOf, requests }) => {
    const ann = await signUp("ann@example.com");
    assert.deepEqual(await ask("{ me { addressConfirmed } }", {}, ann.identity), { me: { addressConfirmed: true } });
    assert.deepEqual(await ask(REQUEST_CONFIRMATION, {}, ann.identity), { requestAddressConfirmation: true });
    assert.equal(await requests.answer(), 0);
    assert.equal((await sql`select from account_links union all select from mail_outbox`).length, 0);
    const { body } = await asMember("/api/users", { ids: [ann.user.id] });
    assert.deepEqual(Object.keys(body[0]).sort(), ["createdAt", "email", "id"]);
    assert.ok(!("unconfirmed" in JSON.parse(atob((await identityOf(ann.token)).split(".")[1]!))));
  }));
