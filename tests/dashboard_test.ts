/** The status pages in a real browser: on a phone and on a desktop, light and dark, as things happen, without JavaScript, and at the stop. */

import axe from "axe-core";
import assert from "node:assert/strict";
import { join } from "node:path";
import { buildSchema } from "graphql";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { CHROMIUM, sayIfMissing, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { ForeignService } from "./helpers/foreign_service.ts";
import { startSystem, until } from "./helpers/system.ts";

sayIfMissing("dashboard");

/** A picture of each view is left here, for whoever wants to see it. */
const SCREENSHOTS = Deno.env.get("NOTIFYX_SCREENSHOTS");
const DESKTOP = { width: 1280, height: 800 };
const LOOKS = [
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
  { name: "desktop-light", viewport: DESKTOP, colorScheme: "light" },
] as const;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** In the page: each cell's text and on how many lines it stands. */
const LINES_OF_CELLS = `[...document.querySelectorAll("td")].map((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return [cell.textContent, new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size];
})`;

/** A page that keeps what the browser complained of, and what it asked elsewhere for. */
async function open(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith("data:") && new URL(asked).origin !== new URL(url).origin) complaints.push(`asked ${asked}`);
  });
  await page.goto(`${url}/dashboard`);
  return { context, page, complaints };
}

/** Waits until the page has heard of the process since it was loaded. */
async function isLive(page: Page): Promise<void> {
  await page.getByText(/^live, /).waitFor();
  await page.locator("[data-group=here] canvas").first().waitFor();
}

Deno.test({
  name:
    "dashboard - live, accessible, as wide as the screen, from its own origin alone; and a stop waits for no open page",
  ignore: CHROMIUM === undefined,
  async fn(t) {
    const said: string[] = [];
    await using system = await startSystem({ onLine: (_, line) => said.push(line) });
    await using browser = await startBrowser();
    const ann = await User.register(system);
    await using thief = new ForeignService(system, "thief", buildSchema("type Query { me: Int  topics: Int }"));
    await thief.register();
    await until("it is refused", async () => {
      const { services } = await ann.get("{ services { conflicts } }");
      return services.some(({ conflicts }: { conflicts: string[] }) => conflicts.length > 0);
    });

    for (const { name, viewport, colorScheme } of LOOKS) {
      await t.step(name, async () => {
        const { context, page, complaints } = await open(browser, system.url(), { viewport, colorScheme });
        await isLive(page);
        if (SCREENSHOTS !== undefined) {
          await page.screenshot({ path: join(SCREENSHOTS, `dashboard-${name}.png`), fullPage: true });
        }
        assert.equal(await page.evaluate("document.documentElement.scrollWidth"), viewport.width);
        const lines = new Map(await page.evaluate(LINES_OF_CELLS) as [string, number][]);
        for (const whole of ["notifications", system.url("counter"), "sendNotification"]) {
          assert.equal(lines.get(whole), 1, whole);
        }
        assert.deepEqual(complaints, []);
        await assertAccessible(page);
        await context.close();
      });
    }

    const { page, complaints } = await open(browser, system.url());
    await t.step("a send changes its tile and the tables, and the page is the same", async () => {
      await isLive(page);
      await page.evaluate("globalThis.same = true");
      const topicId = await ann.createTopic();
      const sends = page.locator("[data-key='gateway.sends'] .most");
      const before = await sends.textContent();
      const { id } = await ann.send(topicId, "hello");
      await until("the tile", async () => !["", before].includes(await sends.textContent()), 20_000);
      await page.locator("#tables").getByText(id).waitFor();
      assert.equal(await page.evaluate("same"), true);
    });

    await t.step("what is wrong stands above all else, in words, until it is over", async () => {
      const state = page.locator("#state");
      system.signal("SIGSTOP", "counter");
      const { host } = new URL(system.url("counter"));
      // Its lease may be over before somebody has asked it.
      const silent = state.getByText(
        new RegExp(`^(waiting for counter|counter (is away|at ${host}: .*doesn't answer))`),
      );
      await silent.first().waitFor();
      system.signal("SIGCONT", "counter");
      await until("it answers", async () => await silent.count() === 0, 30_000);
      await state.getByText("the types of thief are refused").waitFor();
      assert.match(await page.title(), /^\(\d+\) gateway/);
    });

    await t.step("without JavaScript it says as much", async () => {
      const plain = await open(browser, system.url(), { javaScriptEnabled: false });
      const text = await plain.page.innerText("main");
      for (const word of ["the types of thief are refused", "Sends", "at most", system.url("counter")]) {
        assert.ok(text.includes(word), word);
      }
      await plain.context.close();
    });

    await t.step("each process has its own; all stop at once, though pages are open", async () => {
      await Promise.all((["discovery", "auth", "notifications", "counter"] as const).map(async (kind) => {
        const one = await open(browser, system.url(kind));
        await isLive(one.page);
        assert.deepEqual(one.complaints, [], kind);
      }));
      assert.deepEqual(complaints, []);
      said.length = 0;
      await system.cluster.stop();
      assert.deepEqual(said.filter((line) => /in flight|did not stop|killed/.test(line)), []);
      await page.getByText(/^no news since /).waitFor();
    });
  },
});

async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(TAGS)} })`,
  ) as axe.AxeResults;
  const found = violations.map(({ id, nodes }) => ({
    id,
    nodes: nodes.map(({ html, failureSummary }) => [html, failureSummary]),
  }));
  assert.deepEqual(found, []);
}
