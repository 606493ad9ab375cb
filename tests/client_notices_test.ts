/** What tells of arrivals while one looks elsewhere: the browser's notifications once they were asked for, and the sound that one turned on. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, startWithClient } from "./helpers/client_app.ts";
import { listening, until } from "./helpers/system.ts";

const ignore = leftOut("client notices");

/** Runs in each page, before its own scripts: what it shows and asks for, how often it sounds, and whether it counts as looked at. */
const WATCH = `
  Object.assign(globalThis, { told: [], asked: 0, rung: 0, isAway: false });
  globalThis.Notification = class extends Notification {
    constructor(title, options) {
      super(title, options);
      told.push({ title, body: options.body, click: () => this.onclick?.() });
    }
    static requestPermission() {
      asked++;
      return super.requestPermission();
    }
  };
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...args) {
    // One sound is two tones.
    rung += 0.5;
    return start.apply(this, args);
  };
  Object.defineProperty(Document.prototype, "hidden", { get: () => isAway });
  Object.defineProperty(Document.prototype, "visibilityState", { get: () => isAway ? "hidden" : "visible" });
  globalThis.look = (isHere) => {
    isAway = !isHere;
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  };
`;

const told = (page: Page) =>
  page.evaluate("told.map(({ title, body }) => [title, body])") as Promise<[string, string][]>;
const rung = (page: Page) => page.evaluate("rung") as Promise<number>;

Deno.test({
  name:
    "client notices - asked for by a click, told while no tab is looked at, opened by a click; the sound is off, then in one tab",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const [ann, bob] = [await User.register(system), await User.register(system, "bob@example.com")];
    const topicId = await bob.createTopic("lunch");
    await ann.join(topicId);
    const window = await AppWindow.open(browser, system, { permissions: ["notifications"] });
    await window.context.addInitScript(WATCH);
    const { page } = window;
    await page.reload();
    await window.signIn(ann.email);
    await window.inbox();
    await listening(system, 1);
    const sent: string[] = [];
    const send = async (message: string) => {
      await bob.send(topicId, message);
      sent.unshift(message);
      await window.shows(sent);
    };

    // Offered once something has come; a permission is asked for by the click alone.
    const offer = page.getByRole("complementary", { name: "Notifications of the browser" });
    assert.equal(await offer.count(), 0);
    await send("Soup is ready.");
    await offer.waitFor();
    await page.evaluate("look(false)");
    await send("Nobody turned them on.");
    assert.deepEqual([await told(page), await page.evaluate("asked")], [[], 0]);
    await page.evaluate("look(true)");
    await offer.getByRole("button", { name: "Turn on" }).click();
    await offer.waitFor({ state: "detached" });
    assert.equal(await page.evaluate("asked"), 1);
    await send("One looks at it.");
    assert.deepEqual(await told(page), []);

    await page.evaluate("look(false)");
    await send("Dessert");
    await until("it is told", async () => (await told(page)).length === 1);
    assert.deepEqual(await told(page), [["bob@example.com in lunch", "Dessert"]]);
    await page.evaluate("told.pop().click()");
    await page.getByRole("region", { name: "Notification" }).getByText("Dessert").waitFor();

    // Many at once are told as a number; what was seen elsewhere meanwhile isn't told at all.
    await window.context.setOffline(true);
    await page.getByText("The connection is lost.").waitFor();
    const missed = await Promise.all(["a", "b", "c", "d", "e"].map((message) => bob.send(topicId, message)));
    await ann.get("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", { ids: [missed[0]!.id] });
    await window.context.setOffline(false);
    await until("they are told", async () => (await told(page)).length > 0, 30_000);
    assert.deepEqual(await told(page), [["Notifyx", "4 new notifications"]]);
    await page.evaluate("told.length = 0");

    // Another tab is looked at, and has the same choices.
    const other = await AppWindow.open(browser, system, { beside: window, path: "/settings" });
    await listening(system, 2);
    await bob.send(topicId, "Coffee");
    await page.getByText("Coffee").first().waitFor();
    await other.page.getByRole("switch", { name: "Play a sound" }).click();
    await until("it is heard what it is", async () => await rung(other.page) === 1);
    assert.deepEqual([await told(page), await rung(page)], [[], 0]);
    // For a second after a sound there is no other.
    const isSounding = "navigator.locks.query().then(({ held }) => held.some(({ name }) => name === 'notifyx:chime'))";
    const quiet = () => until("it is over", async () => !(await page.evaluate(isSounding)));
    await quiet();
    await bob.send(topicId, "Tea");
    const rings = async () => await rung(page) + await rung(other.page);
    await until("it sounds", async () => await rings() === 2);
    await page.getByText("Tea").first().waitFor();
    assert.equal(await rings(), 2);

    // Nobody looks: each tab tells of it under the same tag, which the browser shows once.
    await other.page.evaluate("look(false)");
    await quiet();
    await bob.send(topicId, "Cake");
    await until("it is told", async () => (await told(page)).length === 1);
    await other.page.getByRole("switch", { name: "Tell me in the browser" }).click();
    await quiet();
    await bob.send(topicId, "Nobody is told");
    await page.getByText("Nobody is told").first().waitFor();
    await until("it sounds nevertheless", async () => await rings() === 4);
    assert.deepEqual((await told(page)).map(([, body]) => body), ["Cake"]);
    for (const one of [window, other]) one.assertOnlyOurs();
  },
});
