/** The whole system, a browser, and an app's own server with a page that uses the library. */

import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { startBrowser } from "../../../tests/helpers/browser.ts";
import type { User } from "../../../tests/helpers/client.ts";
import { metric, startSystem, type System, until } from "../../../tests/helpers/system.ts";
import { bundle } from "../build.ts";

const PAGE = `<!doctype html><title>tab</title><script type="module">
  import { createNotifyx } from "/notifyx.js";
  const [url, token, tabs] = location.hash.slice(1).split(",");
  const timing = { retryMs: [20, 200], pingMs: 500, limitMs: 5000 };
  const cursor = "place " + token;
  const notifyx = window.notifyx = createNotifyx({ url, token, cursor, tabs: tabs !== "apart", timing });
  Object.assign(window, { got: [], seen: [], caughtUp: [], ended: 0, unseen: undefined });
  notifyx.on("caughtUp", ({ count }) => caughtUp.push(count));
  notifyx.on("seen", (event) => seen.push(event));
  notifyx.on("sessionEnded", () => ended++);
  notifyx.unseen.subscribe((count) => window.unseen = count);
  for await (const { message } of notifyx.notifications()) got.push(message);
</script>`;

export class Tab {
  constructor(readonly page: Page) {}

  // deno-lint-ignore no-explicit-any -- whatever the page has
  get(expression: string): Promise<any> {
    return this.page.evaluate(expression);
  }

  async has(messages: readonly string[], limitMs = 10_000): Promise<void> {
    await until("all arrive", async () => (await this.get("got")).length >= messages.length, limitMs);
    assert.deepEqual(await this.get("got"), messages);
  }
}

export class Place implements AsyncDisposable {
  private constructor(
    readonly system: System,
    readonly context: BrowserContext,
    private readonly app: Deno.HttpServer<Deno.NetAddr>,
  ) {}

  static async make(): Promise<Place> {
    const code = await bundle({ minify: true });
    const app = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
      const [body, type] = url.endsWith("/notifyx.js")
        ? [code, "text/javascript"] as const
        : [PAGE, "text/html"] as const;
      return new Response(body, { headers: { "content-type": type } });
    });
    const env = { NOTIFYX_ALLOWED_ORIGINS: `http://127.0.0.1:${app.addr.port}` };
    const [system, browser] = await Promise.all([startSystem({ env }), startBrowser()]);
    return new Place(system, await browser.newContext(), app);
  }

  async open(user: User, tabs = "together"): Promise<Tab> {
    const page = await this.context.newPage();
    await page.goto(`http://127.0.0.1:${this.app.addr.port}/#${this.system.graphqlUrl},${user.token},${tabs}`);
    const tab = new Tab(page);
    await until(
      "its loop runs",
      async () => await tab.get("window.notifyx?.connection.value.state") === "open",
      20_000,
    );
    return tab;
  }

  async hasSockets(count: number): Promise<void> {
    const open = () => metric(this.system.url(), "notifyx_delivery_sockets");
    await until(`${count} sockets are open`, async () => await open() === count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.browser()!.close();
    await this.app.shutdown();
    await this.system[Symbol.asyncDispose]();
  }
}
