/** What is true of an inbox that is open: what others do to its notifications elsewhere shows on its rows, without a reload. */

import assert from "node:assert/strict";
import { leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, startWithClient } from "./helpers/client_app.ts";
import { listening, until } from "./helpers/system.ts";

const ignore = leftOut("client live");

/** More than one page, so that some of them are loaded by scrolling. */
const MANY = 120;

Deno.test({
  name: "client live - what is seen in another browser, retracted, or deleted with its topic changes an open inbox",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const [ann, bob] = [await User.register(system), await User.register(system)];
    const [lunch, gone] = [await bob.createTopic("lunch"), await bob.createTopic("gone")];
    for (const topic of [lunch, gone]) await ann.join(topic);
    const ids: string[] = [];
    const send = async (nth: number) => void (ids[nth] = (await bob.send(lunch, `lunch ${nth}`)).id);
    for (const nth of [0, 1, 2]) await send(nth);
    // Of these the order is nobody's business.
    for (let nth = 3; nth < MANY - 2; nth += 20) {
      await Promise.all(Array.from({ length: Math.min(20, MANY - 2 - nth) }, (_, more) => send(nth + more)));
    }
    for (const nth of [MANY - 2, MANY - 1]) await send(nth);
    const window = await AppWindow.open(browser, system);
    const { page } = window;
    await window.signIn(ann.email);
    await window.inbox();
    await listening(system, 1);
    await bob.send(gone, "gone 1");
    const last = (await bob.send(lunch, "soup")).id;
    await page.getByText("122 unseen").first().waitFor();
    const row = (message: string) =>
      page.getByRole("article").filter({ has: page.getByText(message, { exact: true }) });
    const unseen = (message: string) => row(message).getByRole("img", { name: "Unseen" });
    await unseen("soup").waitFor();

    const acknowledge = (...those: string[]) =>
      ann.get("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", { ids: those });
    await acknowledge(last, ids[0]!);
    await unseen("soup").waitFor({ state: "detached" });
    await page.getByText("120 unseen").first().waitFor();
    await unseen(`lunch ${MANY - 1}`).waitFor();

    await bob.get("mutation ($id: ID!) { deleteTopic(topicId: $id) }", { id: gone });
    await row("gone 1").waitFor({ state: "detached" });
    await row("soup").waitFor();
    await bob.get("mutation ($id: ID!) { retractNotification(id: $id) }", { id: ids[MANY - 1] });
    await row(`lunch ${MANY - 1}`).waitFor({ state: "detached" });
    await row(`lunch ${MANY - 2}`).waitFor();

    // Far below, where the first page doesn't reach.
    await until("it is loaded", async () => {
      await page.evaluate("document.querySelector('[role=feed]').parentElement.scrollTop = 1e6");
      return await row("lunch 0").count() === 1;
    }, 20_000);
    assert.equal(await unseen("lunch 0").count(), 0);
    await unseen("lunch 2").waitFor();
    await acknowledge(ids[2]!);
    await bob.get("mutation ($id: ID!) { retractNotification(id: $id) }", { id: ids[1] });
    await row("lunch 1").waitFor({ state: "detached" });
    await row("lunch 2").waitFor();
    await unseen("lunch 2").waitFor({ state: "detached" });

    // One that was seen changes no count: whoever comes back to the page finds it gone.
    await bob.get("mutation ($id: ID!) { retractNotification(id: $id) }", { id: ids[0] });
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await row("lunch 0").waitFor({ state: "detached" });
    window.assertOnlyOurs();
  },
});
