/** GraphiQL in a real browser: signing in, queries, subscriptions, and nothing that comes from elsewhere. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { CHROMIUM, sayIfMissing, startBrowser } from "./helpers/browser.ts";
import { graphql, User } from "./helpers/client.ts";
import { identity } from "./helpers/identity.ts";
import { listening, startSystem } from "./helpers/system.ts";

const ignore = CHROMIUM === undefined;
sayIfMissing("graphiql");

const PASSWORD = "correct horse";
/** A picture of each view is left here, for README and for whoever wants to see it. */
const SCREENSHOTS = Deno.env.get("NOTIFYX_SCREENSHOTS");

Deno.test({
  name: "graphiql - registers, queries, shows what another user sends, and leaves nothing behind",
  ignore,
  async fn() {
    await using system = await startSystem();
    await using browser = await startBrowser();
    const view = await GraphiQL.open(browser, system.graphqlUrl);

    await view.signIn("ann@example.com", PASSWORD);
    assert.equal(await view.said(), "wrong e-mail address or password");
    await view.page.getByRole("button", { name: "Register" }).click();
    await view.signedIn("ann@example.com");
    await view.run("CreateTopic");
    await view.shows('"name": "news"');

    const bob = await User.register(system, "bob@example.com");
    const topicId = await bob.createTopic("lunch");
    const id = /"id": "([^"]+)"/.exec(await view.answer())?.[1];
    await view.setVariables({ topicId: id });
    await view.run("Subscribe");
    await view.shows('"subscriberCount": 1');
    await view.setVariables({ topicId });
    await view.run("Subscribe");
    await view.shows('"name": "lunch"');

    await view.page.getByRole("button", { name: "Hide editor tools" }).click();
    await view.runFromLine(23);
    await listening(system, 1);
    await bob.send(topicId, "Soup is ready.");
    await view.shows('"message": "Soup is ready."');
    await view.shows('"email": "bob@example.com"');
    await view.screenshot("graphiql.png");
    await bob.send(topicId, "Ещё €5");
    await view.shows('"message": "Ещё €5"');

    await view.page.getByRole("button", { name: /^Stop query/ }).click();
    await listening(system, 0);
    await view.run("Inbox");
    await view.shows('"unseenCount": 2');

    await view.page.getByRole("button", { name: "Sign out" }).click();
    assert.equal(await view.said(), "Signed out.");
    await view.run("Inbox");
    await view.shows('"code": "UNAUTHENTICATED"');
    view.assertOnlyOurs();
  },
});

Deno.test({
  name: "graphiql - a session lasts over a reload, is the tab's own, and one that has ended is given up",
  ignore,
  async fn() {
    await using system = await startSystem();
    await using browser = await startBrowser();
    const ann = await User.register(system);
    const view = await GraphiQL.open(browser, system.graphqlUrl, { colorScheme: "dark" });
    await view.signIn(ann.email, PASSWORD);
    await view.signedIn(ann.email);

    await view.page.reload();
    await view.signedIn(ann.email);
    assert.equal(await view.page.getByRole("tab").count(), 1);
    await view.screenshot("graphiql-dark.png");
    const other = await GraphiQL.open(browser, system.graphqlUrl, {}, view.page);
    await other.page.getByLabel("E-mail").waitFor();

    const { token } = JSON.parse(await view.page.evaluate(() => sessionStorage.getItem("notifyx:session") ?? ""));
    assert.equal((await graphql(system.graphqlUrl, "mutation { logout }", {}, token)).data.logout, true);
    await view.page.reload();
    assert.equal(await view.said(), "Your session has ended. Please sign in again.");
    await view.run("Inbox");
    await view.shows('"code": "UNAUTHENTICATED"');
    view.assertOnlyOurs();
  },
});

Deno.test({
  name: "graphiql - the Headers tab goes before the bar, and signs in on a service",
  ignore,
  async fn() {
    await using system = await startSystem();
    await using browser = await startBrowser();
    const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
    const view = await GraphiQL.open(browser, `${system.graphqlUrl}?query=${encodeURIComponent("{ me { email } }")}`);
    await view.signIn(ann.email, PASSWORD);
    await view.signedIn(ann.email);
    await view.run();
    await view.shows(ann.email);
    await view.setHeaders({ Authorization: `Bearer ${bob.token}` });
    await view.run();
    await view.shows(bob.email);
    view.assertOnlyOurs();

    const { stdout } = await identity(system, ["--user", ann.email]);
    const service = await GraphiQL.open(browser, `${system.url("auth")}/graphql?query={me{email}}`);
    assert.equal(await service.page.getByLabel("E-mail").count(), 0);
    await service.run();
    await service.shows("UNAUTHENTICATED");
    await service.setHeaders({ "x-notifyx-identity": stdout });
    await service.run();
    await service.shows(ann.email);
    service.assertOnlyOurs();
  },
});

Deno.test("graphiql - what a browser has is not sent again, and every part comes from here", async () => {
  await using system = await startSystem();
  const get = async (path: string, headers: Record<string, string>) => {
    const response = await fetch(new URL(path, system.graphqlUrl), { headers });
    return { response, text: await response.text() };
  };
  const html = { accept: "text/html,*/*;q=0.8" };
  const { response, text } = await get("/graphql", html);
  assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(response.headers.get("content-security-policy")!, /default-src 'none'; script-src 'self';/);
  const parts = [...text.matchAll(/"(graphql\/assets\/[^"]+)"/g)].map((match) => match[1]!);
  assert.equal(parts.length, 7);
  for (const path of ["graphql", ...parts]) {
    const first = await get(path, html);
    assert.equal(first.response.status, 200);
    assert.doesNotMatch(first.text, /<(script|link)[^>]*(src|href)="https?:/);
    const etag = first.response.headers.get("etag")!;
    assert.equal((await get(path, { ...html, "if-none-match": etag })).response.status, 304, path);
    const isPart = path !== "graphql";
    assert.equal(first.response.headers.get("cache-control"), isPart ? "max-age=31536000, immutable" : "no-cache");
  }
  assert.equal(
    (await get("/graphql/assets/graphiql.js?v=another", {})).response.headers.get("cache-control"),
    "no-cache",
  );
  assert.equal((await get("/graphql/assets/none.js", {})).response.status, 404);
  // A program that doesn't ask for HTML gets its answer.
  const { text: answered } = await get("/graphql?query={__typename}", { accept: "application/json" });
  assert.deepEqual(JSON.parse(answered), { data: { __typename: "Query" } });
});

/** Runs in the page: event streams arrive five bytes at a time, as if from far away. */
const STREAMS_IN_PIECES = `{
  const { fetch } = globalThis;
  globalThis.fetch = async (...request) => {
    const response = await fetch(...request);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    const pieces = response.body.pipeThrough(new TransformStream({
      transform(chunk, controller) {
        for (let at = 0; at < chunk.length; at += 5) controller.enqueue(chunk.slice(at, at + 5));
      },
    }));
    return new Response(pieces, response);
  };
}`;

/** One window with GraphiQL in it. */
class GraphiQL {
  readonly #requests: string[] = [];
  readonly #complaints: string[] = [];

  private constructor(readonly page: Page, readonly url: string) {
    page.on("request", (request) => this.#requests.push(request.url()));
    page.on("pageerror", (error) => this.#complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && this.#complaints.push(message.text()));
  }

  /** `beside` is a page in whose browser profile this one is opened. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
    beside?: Page,
  ): Promise<GraphiQL> {
    const viewport = { width: 1400, height: 800 };
    const context = beside?.context() ?? await browser.newContext({ viewport, ...options });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await context.addInitScript(STREAMS_IN_PIECES);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const view = new GraphiQL(page, url);
    await page.goto(url);
    await page.locator(".graphiql-query-editor .view-line").first().waitFor();
    return view;
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.page.getByLabel("E-mail").fill(email);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
  }

  async signedIn(email: string): Promise<void> {
    await this.page.getByText(`Signed in as ${email}`).waitFor();
  }

  /** What the bar says next. */
  async said(): Promise<string> {
    const said = this.page.getByRole("status").filter({ hasText: /./ });
    return await said.innerText();
  }

  /** Runs the operation of that name; none is needed where there is only one. */
  async run(operation?: string): Promise<void> {
    const button = this.page.getByRole("button", { name: /^Execute query/ });
    if (operation === undefined) return await button.click();
    // Once GraphiQL has the schema it knows the operations, and the button opens a menu of them.
    await button.and(this.page.locator("[aria-haspopup=menu]")).click();
    await this.page.getByRole("menuitem", { name: operation }).click();
  }

  /** Runs the operation that line is in. */
  async runFromLine(line: number): Promise<void> {
    await this.page.locator(".graphiql-query-editor .view-line").first().click();
    for (let at = 1; at < line; at++) await this.page.keyboard.press("ArrowDown");
    await this.page.keyboard.press("ControlOrMeta+Enter");
  }

  setVariables(variables: unknown): Promise<void> {
    return this.#write("Variables", variables);
  }

  setHeaders(headers: unknown): Promise<void> {
    return this.#write("Headers", headers);
  }

  async answer(): Promise<string> {
    // The editor draws spaces that don't break.
    return (await this.page.locator(".graphiql-response .view-lines").innerText()).replaceAll("\u00a0", " ");
  }

  async shows(text: string): Promise<void> {
    await this.page.locator(".graphiql-response .view-lines").getByText(text).first().waitFor();
  }

  async screenshot(name: string): Promise<void> {
    if (SCREENSHOTS === undefined) return;
    await Deno.mkdir(SCREENSHOTS, { recursive: true });
    // Away from the editor, whose scroll bars fade then.
    await this.page.mouse.move(1000, 600);
    await this.page.waitForTimeout(1_500);
    await this.page.screenshot({ path: join(SCREENSHOTS, name) });
  }

  /** Every request went to the page's own origin, and the browser had nothing to complain of, such as the page's policy. */
  assertOnlyOurs(): void {
    const { origin } = new URL(this.url);
    const elsewhere = this.#requests.filter((url) => !url.startsWith("data:") && new URL(url).origin !== origin);
    assert.deepEqual(elsewhere, []);
    // Each answer that isn't 200 is such a line; those are asked for here.
    assert.deepEqual(this.#complaints.filter((line) => !line.includes("the server responded with a status of")), []);
  }

  async #write(tab: "Variables" | "Headers", value: unknown): Promise<void> {
    await this.page.getByRole("button", { name: tab, exact: true }).click();
    await this.page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines").click();
    await this.page.keyboard.press("ControlOrMeta+A");
    // Pasted: for what is typed the editor closes brackets.
    await this.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(JSON.stringify(value))})`);
    await this.page.keyboard.press("ControlOrMeta+V");
  }
}
