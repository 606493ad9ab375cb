/**
 * Pictures of all status pages, for docs/images: `deno run --allow-all tests/dashboard_pictures.ts FOLDER [MINUTES]`. The whole system runs
 * under the demo, some subscriptions, logins, avatars and mails for so long (12); in the end one service is frozen for a picture of that.
 */

import { join } from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { delay, MINUTE, SECOND } from "../kit/time.ts";
import { startBrowser } from "./helpers/browser.ts";
import { Socket, User } from "./helpers/client.ts";
import { DESKTOP, PHONE, startWithClient } from "./helpers/client_app.ts";
import { Demo } from "./helpers/demo.ts";
import { type System, until } from "./helpers/system.ts";

const KINDS = ["gateway", "discovery", "auth", "notifications", "counter", "mail", "avatar", "client"] as const;
/** Who wants to hear of it. */
const READERS = 30;

const [folder, minutes = "12"] = Deno.args;
if (folder === undefined) throw new Error("give a folder for the pictures");
await Deno.mkdir(folder, { recursive: true });

await using system = await startWithClient({ counts: { gateway: 2, mail: 1 }, env: { NOTIFYX_LIMITS: "off" } });
const demo = new Demo(["--url", system.url(), "--per-minute", "300"]);
const stop = new AbortController();
const working = work(system, stop.signal);
await delay(Number(minutes) * MINUTE);

const browser = await startBrowser();
const views: readonly [string, BrowserContextOptions][] = [
  ["desktop-light", { viewport: DESKTOP, colorScheme: "light" }],
  ["desktop-dark", { viewport: DESKTOP, colorScheme: "dark" }],
  ["phone-light", { viewport: PHONE, colorScheme: "light" }],
  ["phone-dark", { viewport: PHONE, colorScheme: "dark" }],
];
for (const kind of KINDS) {
  for (const [view, options] of views) {
    await takePicture(browser, system.url(kind), options, `${kind}-${view}`);
  }
}
system.signal("SIGSTOP", "counter");
await delay(15 * SECOND);
await takePicture(browser, system.url(), { viewport: PHONE, colorScheme: "light" }, "gateway-counter-frozen");
system.signal("SIGCONT", "counter");
await browser.close();
stop.abort();
demo.signal("SIGINT");
await Promise.all([working, demo.ended()]);

/** The gateway's page is long: of it there is the first screen. */
async function takePicture(browser: Browser, url: string, options: BrowserContextOptions, name: string): Promise<void> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`${url}/dashboard`);
  await page.getByText(/^live, /).waitFor();
  // Once more, so that all graphs are drawn.
  await delay(6 * SECOND);
  await page.screenshot({ path: join(folder!, `dashboard-${name}.png`) });
  await context.close();
}

async function work(system: System, signal: AbortSignal): Promise<void> {
  // One behind the other: the demo's people come in at the same time.
  const readers: User[] = [];
  while (readers.length < READERS) readers.push(await User.register(system));
  let topics: { edges: { node: { id: string } }[] } = { edges: [] };
  await until("all of the demo's topics", async () => {
    const before = topics.edges.length;
    await delay(3 * SECOND);
    ({ topics } = await readers[0]!.get("{ topics(first: 50) { edges { node { id } } } }"));
    return before > 0 && topics.edges.length === before;
  }, 3 * MINUTE);
  const sockets: Socket[] = [];
  for (const [at, reader] of readers.entries()) {
    for (const { node } of topics.edges) await reader.join(node.id);
    const url = `${system.url("gateway", at % 2)}/graphql`;
    const socket = await Socket.open(url, { authorization: `Bearer ${reader.token}` });
    socket.subscribe("subscription { notificationReceived { id message topic { name } } }");
    sockets.push(socket);
  }
  const look =
    "query ($size: Int) { me { avatarUrl(size: $size) } notifications(first: 20) { edges { node { id } } } }";
  const send = 'mutation ($to: String!) { sendEmail(to: $to, subject: "Soup", message: "It is ready.") { id } }';
  while (!signal.aborted) {
    const reader = readers[Math.floor(Math.random() * READERS)]!;
    const { me } = await reader.get(look, { size: 16 + Math.floor(Math.random() * 200) });
    await (await fetch(me.avatarUrl)).body?.cancel();
    if (Math.random() < 0.1) await User.register(system);
    if (Math.random() < 0.2) await reader.get(send, { to: `reader-${Math.floor(Math.random() * 9)}@example.com` });
    await delay(Math.random() * 300, signal);
  }
  for (const socket of sockets) socket[Symbol.dispose]();
}
