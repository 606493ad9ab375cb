/** The web client through a lost connection, a killed gateway and a closed lid: nothing is missed, nothing comes twice, and it says so. */

import { delay, SECOND } from "../kit/time.ts";
import { closeLid, leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, startWithClient } from "./helpers/client_app.ts";
import { FlakyNetwork } from "./helpers/flaky_network.ts";
import { listening, metric, until } from "./helpers/system.ts";

const ignore = leftOut("client lost");

const OFFLINE_MS = 30 * SECOND;
/** A page that the browser freezes for a while; a lid that is closed for longer is below. */
const FROZEN_MS = 5 * SECOND;
const LOST = "The connection is lost.";

Deno.test({
  name: "client lost - offline for 30 s, without its gateway, and frozen: all comes once, and the banner tells it",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const [ann, bob] = [await User.register(system), await User.register(system)];
    const topicId = await bob.createTopic("lunch");
    await ann.join(topicId);
    const window = await AppWindow.open(browser, system);
    const { page } = window;
    await window.signIn(ann.email);
    await window.inbox();
    await listening(system, 1);
    const sent: string[] = [];
    const send = async (message: string) => {
      await bob.send(topicId, message);
      sent.unshift(message);
    };
    await send("before");
    await window.shows(sent);

    await window.context.setOffline(true);
    await page.getByText(LOST).waitFor();
    for (const message of ["offline 1", "offline 2", "offline 3"]) await send(message);
    await delay(OFFLINE_MS);
    await window.context.setOffline(false);
    await page.getByText("3 notifications arrived meanwhile").waitFor();
    await page.getByText(LOST).waitFor({ state: "detached" });
    await window.shows(sent);
    await listening(system, 1);
    await send("online");
    await window.shows(sent);

    system.signal("SIGKILL", "gateway");
    await until("it is back", async () => {
      try {
        // What it answered to is known; a send that had no answer may have happened.
        await bob.get("{ me { id } }");
        return true;
      } catch {
        return false;
      }
    }, 60_000);
    await send("after the gateway");
    await window.shows(sent);
    await page.getByText(LOST).waitFor({ state: "detached" });
    await listening(system, 1);

    const devtools = await window.context.newCDPSession(page);
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    for (const message of ["frozen 1", "frozen 2"]) await send(message);
    await delay(FROZEN_MS);
    await devtools.send("Page.setWebLifecycleState", { state: "active" });
    await window.shows(sent);
    await send("opened");
    await window.shows(sent);
    await page.reload();
    await window.shows(sent);
    window.assertOnlyOurs();
  },
});

Deno.test({
  name:
    "client lost - a lid closed until the gateway has given the socket up, and opened elsewhere: it is found dead, and all comes once, in both tabs",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    using network = FlakyNetwork.to(system.url("client"));
    const [ann, bob] = [await User.register(system), await User.register(system)];
    const topicId = await bob.createTopic("lunch");
    await ann.join(topicId);
    const first = await AppWindow.open(browser, system, { url: network.origin });
    await first.signIn(ann.email);
    await first.inbox();
    const windows = [first, await AppWindow.open(browser, system, { url: network.origin, beside: first })];
    await windows[1]!.inbox();
    const sockets = async (count: number, limitMs?: number) =>
      await until(
        `${count} sockets`,
        async () => await metric(system.url(), "notifyx_delivery_sockets") === count,
        limitMs,
      );
    await sockets(1);
    await listening(system, 2);
    const sent: string[] = [];
    const send = async (message: string) => {
      await bob.send(topicId, message);
      sent.unshift(message);
    };
    const allShow = async () => {
      for (const window of windows) await window.shows(sent);
    };
    await send("before");
    await allShow();

    {
      using _closed = closeLid(browser);
      // Nobody tells the browser what becomes of its connections.
      network.silence();
      for (const message of ["closed 1", "closed 2", "closed 3"]) await send(message);
      await sockets(0, 90_000);
      await send("given up");
    }
    await allShow();
    await sockets(1);
    await send("opened");
    await allShow();
    // What the browser has kept open for other requests is silent too, of which one would have to wait.
    network.cut();
    network.mend();
    for (const { page } of windows) await page.reload();
    await allShow();
    for (const window of windows) window.assertOnlyOurs();
  },
});
