/** The web client in a real browser: the way from signing up to what others see, and what it is made of. */

import assert from "node:assert/strict";
import { firstLoadBytes } from "../client/build/first_load.ts";
import { builtFolder } from "../client/build/places.ts";
import { CHROMIUM, sayIfMissing, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, CHECKOUT, PASSWORD, startWithClient, userOf } from "./helpers/client_app.ts";
import { listening, until } from "./helpers/system.ts";

const ignore = CHROMIUM === undefined;
sayIfMissing("client");

const FIRST_LOAD_BYTES = 250_000;

Deno.test({
  name: "client - signs up, sees what another sends, marks it as seen, takes that back, and keeps the session",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const ann = await AppWindow.open(browser, system);
    const { page } = ann;
    await page.waitForURL(/\/sign-in/);
    await ann.signIn("ann@example.com");
    await page.getByText("Wrong e-mail address or password.").waitFor();
    await ann.register("ann@example.com");
    await page.getByText("No notifications yet").waitFor();

    const bob = await User.register(system);
    const topicId = await bob.createTopic("lunch");
    const api = await userOf(system, "ann@example.com");
    await api.join(topicId);
    await listening(system, 1);
    await bob.send(topicId, "Soup is ready.");
    await ann.shows(["Soup is ready."]);
    const markup = '<img src=x onerror="alert(1)"> javascript:alert(1) https://example.com/a?b=<i>.';
    await bob.send(topicId, markup);
    await ann.shows([markup, "Soup is ready."]);
    await page.getByText("2 unseen").first().waitFor();
    assert.equal(await page.title(), "(2) Inbox – Notifyx");
    await until(
      "a badge",
      async () => (await page.getAttribute("link[rel=icon]", "href"))?.startsWith("data:") ?? false,
    );

    // Whole, at an address of its own, with what can be opened; back goes to where one was.
    await page.getByRole("article").first().getByRole("link").click();
    const link = page.getByRole("link", { name: "https://example.com/a?b=", exact: true });
    assert.equal(await link.getAttribute("rel"), "noopener noreferrer nofollow");
    assert.equal(await page.locator("section a[href^='javascript']").count(), 0);
    const address = page.url();
    await page.goBack();
    await link.waitFor({ state: "detached" });
    await page.goto(address);
    await link.waitFor();
    await page.keyboard.press("Escape");
    await ann.shows([markup, "Soup is ready."]);

    await page.keyboard.press("j");
    await page.keyboard.press("e");
    await page.getByText("1 unseen").first().waitFor();
    await page.keyboard.press("z");
    await page.getByText("2 unseen").first().waitFor();
    await page.getByRole("button", { name: "Mark all as seen" }).click();
    await page.getByText("All seen").first().waitFor();
    const unseen = async () => (await api.get("{ unseenCount }")).unseenCount;
    assert.equal(await unseen(), 2);
    await until("the server knows", async () => await unseen() === 0, 20_000);

    const token = /notifyx-session-\d+=([^;]+)/;
    assert.doesNotMatch(await page.evaluate("document.cookie + JSON.stringify({ ...localStorage })") as string, token);
    await page.reload();
    await ann.shows([markup, "Soup is ready."]);
    assert.equal(await page.title(), "Inbox – Notifyx");

    // Another session of hers ends this one's: nothing of the page stays.
    const [cookie] = await ann.context.cookies();
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, "Strict"]);
    await new User(system.graphqlUrl, "", "", cookie!.value).get("mutation { logout }");
    await page.getByText("Your session has ended. Please sign in again.").waitFor();
    assert.equal((await ann.context.cookies()).length, 0);
    await ann.signIn("ann@example.com");
    await ann.shows([markup, "Soup is ready."]);
    await page.getByRole("button", { name: "Account of ann@example.com" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    ann.assertOnlyOurs();
  },
});

Deno.test({
  name: "client - a gateway is killed, and what is sent meanwhile comes once, in order",
  ignore,
  async fn() {
    // Nothing needs the pictures.
    await using system = await startWithClient({ counts: { avatar: 0 } });
    await using browser = await startBrowser();
    const bob = await User.register(system);
    const topicId = await bob.createTopic();
    const ann = await User.register(system);
    await ann.join(topicId);
    const window = await AppWindow.open(browser, system);
    await window.signIn(ann.email);
    await window.inbox();
    await listening(system, 1);
    const sent = ["before"];
    await bob.send(topicId, "before");
    await window.shows(sent);
    system.signal("SIGKILL", "gateway");
    await until("it is back", async () => {
      try {
        await bob.send(topicId, "after", []);
        return true;
      } catch {
        return false;
      }
    }, 60_000);
    sent.unshift("after");
    await window.shows(sent);
    await listening(system, 1);
    await bob.send(topicId, "later");
    await window.shows(["later", ...sent]);
    window.assertOnlyOurs();
  },
});

Deno.test("client - the server keeps others out, and tells browsers what to keep", async (t) => {
  await using system = await startWithClient({ counts: { avatar: 0 } });
  const url = system.url("client");
  const ann = await User.register(system);
  const signIn = (
    headers: Record<string, string>,
    body: unknown = { action: "login", email: ann.email, password: PASSWORD },
  ) => fetch(`${url}/session`, { method: "POST", headers, body: JSON.stringify(body) });
  const json = { "content-type": "application/json" };
  const said = async (response: Response) => [response.status, (await response.json()).code];

  await t.step("signing in takes JSON, from its own pages or from no page", async () => {
    assert.deepEqual(await said(await signIn({ ...json, origin: "https://elsewhere.example" })), [403, "FORBIDDEN"]);
    assert.deepEqual(await said(await signIn({ "content-type": "text/plain" })), [400, "BAD_USER_INPUT"]);
    assert.deepEqual(await said(await signIn(json, { action: "sudo" })), [400, "BAD_USER_INPUT"]);
    const wrong = { action: "login", email: ann.email, password: "wrong horse" };
    assert.deepEqual(await said(await signIn(json, wrong)), [401, "UNAUTHENTICATED"]);
  });

  const good = await signIn({ ...json, origin: url });
  const cookie = good.headers.get("set-cookie")!.split(";")[0]!;
  const { user } = await good.json();
  const graphql = (headers: Record<string, string>) =>
    fetch(`${url}/graphql`, { method: "POST", headers: { ...json, ...headers }, body: '{"query":"{ me { id } }"}' });

  await t.step("the cookie speaks for the session, to its own pages", async () => {
    assert.match(good.headers.get("set-cookie")!, /; HttpOnly; SameSite=Strict$/);
    assert.equal(good.headers.get("cache-control"), "no-store");
    assert.equal(user.email, ann.email);
    assert.equal((await (await graphql({ cookie })).json()).data.me.id, ann.id);
    assert.equal((await (await graphql({})).json()).errors[0].extensions.code, "UNAUTHENTICATED");
    assert.deepEqual(await said(await graphql({ cookie, origin: "https://elsewhere.example" })), [403, "FORBIDDEN"]);
  });

  await t.step("a page has a policy with a nonce of its own; parts are kept for ever, compressed", async () => {
    const page = () => fetch(`${url}/topics`, { headers: { accept: "text/html" } });
    const [one, other] = await Promise.all([page(), page()]);
    const policies = [one, other].map(({ headers }) => headers.get("content-security-policy")!);
    assert.notEqual(policies[0], policies[1]);
    for (const policy of policies) {
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[\w+/=]+';/);
      assert.doesNotMatch(policy, /unsafe/);
    }
    const html = await one.text();
    await other.body?.cancel();
    assert.doesNotMatch(html, /__NONCE__|<script(?![^>]* src=)|https?:\/\//);
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(html)!;
    const part = await fetch(url + script, { headers: { "accept-encoding": "br" } });
    await part.body?.cancel();
    assert.equal(part.headers.get("cache-control"), "max-age=31536000, immutable");
    assert.equal((await said(await fetch(`${url}/assets/none.js`)))[0], 404);
    assert.equal((await said(await fetch(`${url}/none`)))[0], 404);
  });

  await t.step("signing out ends the session itself", async () => {
    const response = await fetch(`${url}/session`, { method: "DELETE", headers: { cookie, origin: url } });
    assert.equal(response.status, 204);
    assert.match(response.headers.get("set-cookie")!, /=; Path=\/; Max-Age=0/);
    assert.equal(
      await new User(system.graphqlUrl, "", "", cookie.split("=")[1]!).code("{ me { id } }"),
      "UNAUTHENTICATED",
    );
  });

  await t.step("what is loaded at first is small", async () => {
    const bytes = await firstLoadBytes(builtFolder(CHECKOUT));
    assert.ok(bytes <= FIRST_LOAD_BYTES, `${bytes} bytes`);
  });
});
