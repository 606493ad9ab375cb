/**
 * The inbox of somebody who has 10,000 notifications: how soon it is there, and how it feels to scroll it and to use it while 20 arrive a
 * second. Times of the page's own thread are taken as the processor's, by Chromium's trace, and so say the same on a busy machine;
 * what a person waits for is printed, and its bounds leave room for one: a quiet machine takes a small part of them.
 */

import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { delay } from "../kit/time.ts";
import { leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, startWithClient } from "./helpers/client_app.ts";
import { listening, type System, until } from "./helpers/system.ts";

const ignore = leftOut("client load");

const MANY = 10_000;
const PER_SECOND = 20;
/** In milliseconds; on a quiet machine, where it takes 409 to 560, 28 to 49 and 64 to 112, the aims are 1,000, 50 and 200. */
const MOST = { paint: 5_000, task: 70, interaction: 1_000 };

/** Runs in each page, before its own scripts: when the list was first shown, and how long each thing that was done took. */
const WATCH = `
  globalThis.interactions = [];
  new PerformanceObserver((list) => {
    for (const { interactionId, duration, name } of list.getEntries()) if (interactionId) interactions.push([duration, name]);
  }).observe({ type: "event", durationThreshold: 16 });
  addEventListener("click", (event) => globalThis.clickedAt ??= event.timeStamp, true);
  new MutationObserver((_, observer) => {
    if (document.querySelector("[role=feed] > article") === null) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => globalThis.shownAt = performance.now()));
  }).observe(document, { childList: true, subtree: true });
`;

Deno.test({
  name: "client load - 10,000 notifications: there at once, smooth to scroll, and quick while 20 arrive a second",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const [ann, bob] = [await User.register(system), await User.register(system)];
    const topicId = await bob.createTopic("lunch");
    await ann.join(topicId);
    await fill(system, topicId, bob);
    await until("all are there", async () => (await ann.get("{ unseenCount }")).unseenCount === MANY, 60_000);

    const window = await AppWindow.open(browser, system);
    const { page } = window;
    await window.context.addInitScript(WATCH);
    await page.goto(`${window.url}/sign-in`);
    await window.signIn(ann.email);
    await page.getByRole("article").first().waitFor();
    const paint = await page.evaluate(
      "new Promise((done) => {" +
        " const look = () => globalThis.shownAt ? done(shownAt - clickedAt) : setTimeout(look, 20); look(); })",
    ) as number;
    await page.getByText("10,000 unseen").first().waitFor();
    await listening(system, 1);

    const scrolled = await tracedTasks(browser, page, async () => {
      await page.mouse.move(600, 500);
      for (let nth = 0; nth < 60; nth++) {
        await page.mouse.wheel(0, 900);
        await delay(30);
      }
    });
    const reached = await page.evaluate("document.querySelector('[role=feed]').parentElement.scrollTop") as number;
    assert.ok(reached > 20_000, `scrolled to ${reached}`);

    await page.evaluate("document.querySelector('[role=feed]').parentElement.scrollTop = 0");
    await page.evaluate("interactions.length = 0");
    const sending = new AbortController();
    const flow = send(bob, topicId, sending.signal);
    const used = await tracedTasks(browser, page, async () => {
      for (let nth = 0; nth < 8; nth++) {
        for (const key of ["j", "e", "o", "Escape"]) {
          await page.keyboard.press(key);
          await delay(120);
        }
        await page.getByRole("article").first().hover();
        await page.getByRole("article").first().getByRole("button", { name: "Mark as seen" }).click();
      }
    }).finally(() => sending.abort());
    const sent = await flow;
    const interactions = await page.evaluate("interactions") as [number, string][];
    const slowest = Math.max(0, ...interactions.map(([ms]) => ms));
    console.log([
      `client load: the list ${Math.round(paint)} ms after signing in`,
      `scrolling, longest task ${told(scrolled)}`,
      `while ${sent} arrived, longest task ${told(used)}, slowest interaction ${slowest} ms`,
    ].join("; "));
    assert.ok(paint < MOST.paint, `${paint} ms`);
    assert.ok(scrolled.processorMs < MOST.task, `${scrolled.processorMs} ms`);
    assert.ok(used.processorMs < MOST.task, `${used.processorMs} ms`);
    assert.ok(slowest < MOST.interaction, JSON.stringify(interactions.filter(([ms]) => ms > 200)));
    assert.ok(sent > 20);
    window.assertOnlyOurs();
  },
});

/** As so many sends leave them before they have their positions, which the service then gives. */
async function fill(system: System, topicId: string, { id }: User): Promise<void> {
  const sql = system.database("notifications");
  for (let nth = 0; nth < MANY; nth += 1_000) {
    await sql`select prepare_notification(gen_random_uuid(), ${topicId}, ${id}, 'Soup number ' || number || ' is ready.', '{}'::uuid[])
      from generate_series(${nth + 1}::int, ${nth + 1_000}::int) as number`;
  }
}

/** Sends at the rate until the end. How many that were */
async function send(sender: User, topicId: string, signal: AbortSignal): Promise<number> {
  const sends: Promise<unknown>[] = [];
  while (!signal.aborted) {
    const one = sender.send(topicId, `more soup ${sends.length}`);
    // Told in the end, where the test has come so far.
    one.catch(() => {});
    sends.push(one);
    await delay(1_000 / PER_SECOND);
  }
  return (await Promise.all(sends)).length;
}

interface Tasks {
  /** Of the longest task of the page's main thread, in milliseconds. */
  readonly processorMs: number;
  readonly wallMs: number;
}

const told = ({ processorMs, wallMs }: Tasks) =>
  `${processorMs.toFixed(0)} ms of the processor (${wallMs.toFixed(0)} ms)`;

/** The longest tasks while `use` runs. */
async function tracedTasks(browser: Browser, page: Page, use: () => Promise<void>): Promise<Tasks> {
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline"] });
  await use();
  const { traceEvents } = JSON.parse(new TextDecoder().decode(await browser.stopTracing()));
  type TraceEvent = { name: string; pid: number; tid: number; dur?: number; tdur?: number; args: { name?: string } };
  const main = new Set<string>();
  for (const { name, pid, tid, args } of traceEvents as TraceEvent[]) {
    if (name === "thread_name" && args.name === "CrRendererMain") main.add(`${pid} ${tid}`);
  }
  const tasks = (traceEvents as TraceEvent[]).filter(({ name, pid, tid, tdur }) =>
    name.endsWith("RunTask") && tdur !== undefined && main.has(`${pid} ${tid}`)
  );
  assert.ok(tasks.length > 100, `${tasks.length} tasks in the trace`);
  return {
    processorMs: Math.max(...tasks.map(({ tdur }) => tdur!)) / 1_000,
    wallMs: Math.max(...tasks.map(({ dur }) => dur ?? 0)) / 1_000,
  };
}
