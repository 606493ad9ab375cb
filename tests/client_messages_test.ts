/** A message in two browsers, from its writing to its being taken back; and what there is to see of the system. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, startWithClient } from "./helpers/client_app.ts";
import { listening, until } from "./helpers/system.ts";

const ignore = leftOut("client messages");

const MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script> javascript:alert(3) https://example.com/a?b=c.';

Deno.test({
  name: "client messages - chosen people receive it at once, its sender sees who has seen it, and it can be taken back",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const [ann, bob, eve] = await Promise.all(
      ["ann", "bob", "eve"].map((name) => User.register(system, `${name}@example.com`)),
    ) as [User, User, User];
    const topicId = await ann.createTopic("<b>lunch</b>");
    for (const user of [bob, eve]) await user.join(topicId);
    const [hers, his] = [await AppWindow.open(browser, system), await AppWindow.open(browser, system)];
    const { page } = hers;
    await his.signIn(bob.email);
    await his.inbox();
    await hers.signIn(ann.email);
    await hers.inbox();
    await listening(system, 2);

    // Found by typing: the topic, and of its two subscribers one.
    await page.getByRole("link", { name: "Compose" }).click();
    await page.getByRole("combobox", { name: "Topic" }).fill("LUN");
    await page.getByRole("option", { name: "<b>lunch</b>" }).click();
    await page.getByText("Everyone (2 people)").waitFor();
    await page.getByText("Chosen people").click();
    await page.getByRole("combobox", { name: "People" }).fill("bo");
    await page.getByRole("option", { name: bob.email }).waitFor();
    assert.equal(await page.getByRole("option", { name: eve.email }).count(), 0);
    await page.keyboard.press("Enter");
    await page.getByRole("textbox", { name: "Message" }).fill(MARKUP);
    await page.getByText(`${MARKUP.length} of 10,000 characters`).waitFor();
    const preview = page.getByRole("region", { name: "Preview" });
    assert.equal(await preview.locator("article > p").textContent(), MARKUP);

    // What is written outlasts a look elsewhere, and a reload.
    await page.reload();
    await page.getByText(`${MARKUP.length} of 10,000 characters`).waitFor();
    await page.getByText(bob.email).first().waitFor();
    await page.getByRole("textbox", { name: "Message" }).press("Control+Enter");

    await page.getByText("Seen by 0 of 1").waitFor();
    await his.shows([MARKUP]);
    assert.deepEqual(await eve.inbox(), []);
    await his.page.getByRole("article").getByRole("link").click();
    const link = his.page.getByRole("link", { name: "https://example.com/a?b=c", exact: true });
    assert.deepEqual(
      [await link.getAttribute("rel"), await link.getAttribute("target")],
      ["noopener noreferrer nofollow", "_blank"],
    );
    await his.page.keyboard.press("Escape");
    await his.page.getByRole("button", { name: "Mark all as seen" }).click();
    await page.getByText("Seen by 1 of 1").waitFor();
    // In no place did it become more than text.
    for (const { page } of [hers, his]) {
      assert.equal(await page.locator("main :is(img[src='x'], script, b, a[href^='javascript'])").count(), 0);
    }

    await page.getByRole("link", { name: MARKUP }).click();
    const one = page.getByRole("region", { name: "Sent notification" });
    await one.getByText("Seen by 1 of 1").waitFor();
    const who = one.getByRole("list", { name: "Who has seen it" }).getByRole("listitem");
    await who.getByText(bob.email).waitFor();
    assert.equal(await who.count(), 1);
    assert.ok(Date.now() - Date.parse((await who.locator("time").getAttribute("datetime"))!) < 600_000);
    const address = page.url();
    await one.getByRole("button", { name: "Take back" }).click();
    const dialog = page.getByRole("dialog", { name: "Take this notification back?" });
    await dialog.getByRole("button", { name: "Take back" }).click();
    await page.getByText("You have sent nothing yet").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("link", { name: MARKUP }).click();
    assert.deepEqual(await bob.inbox(), [MARKUP]);
    await one.getByRole("button", { name: "Take back" }).click();
    await dialog.getByRole("button", { name: "Take back" }).click();
    await until("it is taken back", async () => (await bob.inbox()).length === 0, 20_000);
    await his.page.reload();
    await his.page.getByText("No notifications yet").waitFor();
    await page.goto(address);
    await page.getByText("It was taken back, or its time is over.").waitFor();
    hers.assertOnlyOurs();
    his.assertOnlyOurs();
  },
});

Deno.test({
  name:
    "client messages - what is sent offline says that it waits, and goes out once; what is refused comes back to be edited",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const ann = await User.register(system);
    const topicId = await ann.createTopic("lunch");
    await ann.join(topicId);
    const window = await AppWindow.open(browser, system, { path: `/compose?topic=${topicId}` });
    const { page } = window;
    await window.signIn(ann.email);
    const message = page.getByRole("textbox", { name: "Message" });
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Write what you want to say.").waitFor();
    await message.fill("€".repeat(10_001));
    await page.getByText("One character too many.").waitFor();
    await message.fill("🥣".repeat(10_000));
    await page.getByText("10,000 of 10,000 characters").waitFor();
    await page.getByText("One character too many.").waitFor({ state: "detached" });
    await message.fill("Soup is ready.");
    await listening(system, 1);

    await window.context.setOffline(true);
    await page.getByText("There is no connection just now.").waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Waits for the connection").waitFor();
    assert.deepEqual(await ann.inbox(), []);
    await window.context.setOffline(false);
    await page.getByText("Seen by 0 of 1").waitFor();
    await page.getByText("Waits for the connection").waitFor({ state: "detached" });
    assert.deepEqual(await ann.inbox(), ["Soup is ready."]);

    // The topic becomes inactive after it was chosen: refused, and nothing of what was written is lost.
    await page.goto(`${window.url}/compose?topic=${topicId}`);
    await page.getByText("Everyone (1 person)").waitFor();
    await message.fill("More soup.");
    await ann.get("mutation ($id: ID!) { setTopicStatus(topicId: $id, status: INACTIVE) { id } }", { id: topicId });
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Not sent. The topic is inactive.", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Edit" }).click();
    await until("it is back", async () => await message.inputValue() === "More soup.");
    await page.getByText("This topic is inactive").waitFor();
    assert.deepEqual(await ann.inbox(), ["Soup is ready."]);
    window.assertOnlyOurs();
  },
});

Deno.test({
  name:
    "client messages - what waits outlasts its tab: another sends it, or the next one that is opened, once; who signs out is told of it",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const ann = await User.register(system);
    const topicId = await ann.createTopic("lunch");
    await ann.join(topicId);
    const path = `/compose?topic=${topicId}`;
    const first = await AppWindow.open(browser, system, { path });
    const { context } = first;
    await first.signIn(ann.email);
    await first.page.getByRole("heading", { name: "Compose" }).waitFor();
    const other = await AppWindow.open(browser, system, { beside: first, path: "/sent" });
    await other.page.getByText("You have sent nothing yet").waitFor();
    await listening(system, 2);
    const sendOffline = async ({ page }: AppWindow, ...messages: string[]) => {
      for (const message of messages) {
        await page.getByRole("link", { name: "Compose" }).first().click();
        await page.getByRole("combobox", { name: "Topic" }).fill("lun");
        await page.getByRole("option", { name: "lunch" }).click();
        await page.getByRole("textbox", { name: "Message" }).fill(message);
        await context.setOffline(true);
        await page.getByRole("button", { name: "Send" }).click();
        await waiting(page, message).waitFor();
      }
    };
    const waiting = (page: Page, message: string) =>
      page.getByRole("list", { name: "On their way" }).getByRole("listitem").filter({ hasText: message });

    await sendOffline(first, "by another tab");
    await waiting(other.page, "by another tab").waitFor();
    await first.page.close();
    await context.setOffline(false);
    await other.page.getByRole("link", { name: "by another tab" }).waitFor();
    assert.deepEqual(await ann.inbox(), ["by another tab"]);

    await sendOffline(other, "after that, one", "after that, two");
    await other.page.close();
    await context.setOffline(false);
    const third = await AppWindow.open(browser, system, { beside: other, path: "/sent" });
    for (const message of ["after that, one", "after that, two"]) {
      await third.page.getByRole("link", { name: message }).waitFor();
    }
    const all = ["after that, two", "after that, one", "by another tab"];
    assert.deepEqual(await ann.inbox(), all);
    assert.equal(await waiting(third.page, "").count(), 0);

    await sendOffline(third, "not lost by signing out");
    await third.page.getByRole("button", { name: `Account of ${ann.email}` }).click();
    await third.page.getByRole("menuitem", { name: "Sign out" }).click();
    await third.page.getByText("A notification still waits to be sent.").waitFor();
    await third.page.getByRole("button", { name: "Sign out anyway" }).waitFor();
    await context.setOffline(false);
    await third.page.getByRole("link", { name: "not lost by signing out" }).waitFor();
    await third.page.getByRole("button", { name: `Account of ${ann.email}` }).click();
    await third.page.getByRole("menuitem", { name: "Sign out" }).click();
    await third.page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.deepEqual(await ann.inbox().catch(() => "her session goes on"), ["not lost by signing out", ...all]);
    assert.deepEqual(
      await third.page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('notifyx:outgoing:'))"),
      [],
    );
    third.assertOnlyOurs();
  },
});

Deno.test({
  name: "client messages - the system page tells of a process that is gone, and of when it is back",
  ignore,
  async fn() {
    await using system = await startWithClient({ counts: { counter: 2 } });
    await using browser = await startBrowser();
    const ann = await User.register(system);
    const window = await AppWindow.open(browser, system, { path: "/system" });
    const { page } = window;
    await window.signIn(ann.email);
    await page.getByText("All is well").waitFor();
    const counter = page.getByRole("region", { name: "counter" });
    await counter.getByText("2 processes, well").waitFor();
    await counter.getByText(/^\d+ sec\. ago$|^now$/).first().waitFor();
    const { host } = new URL(system.url("counter"));
    const dashboard = counter.getByRole("link", { name: host });
    assert.equal(await dashboard.getAttribute("href"), `http://${host}/dashboard`);
    system.signal("SIGSTOP", "counter", 1);
    await counter.getByText("2 processes, well").waitFor({ state: "detached", timeout: 60_000 });
    system.signal("SIGCONT", "counter", 1);
    await counter.getByText("2 processes, well").waitFor({ timeout: 60_000 });

    const transactions = page.getByRole("region", { name: "Transactions" });
    await transactions.getByText("All confirmed in time").waitFor();
    const topicId = await ann.createTopic();
    await ann.send(topicId, "one");
    await transactions.locator("div").filter({ hasText: "Sent since it started" }).getByText("1", { exact: true })
      .waitFor();
    // Without an answer it says how old what it shows is.
    await window.context.setOffline(true);
    await page.getByText(/Last heard (now|\d+ (sec|min)\. ago)$/).waitFor();
    window.assertOnlyOurs();
  },
});

Deno.test({
  name: "client messages - a link to choose a new password is asked for from the sign-in page",
  ignore,
  async fn() {
    await using system = await startWithClient({ counts: { mail: 1 } });
    await using browser = await startBrowser();
    const ann = await User.register(system);
    const window = await AppWindow.open(browser, system, { path: "/sign-in" });
    const { page } = window;
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await page.getByLabel("E-mail address").fill("nobody");
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByText("That isn't an e-mail address.").waitFor();
    await page.getByLabel("E-mail address").fill(ann.email);
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByText(`If ${ann.email} belongs to an account`).waitFor();
    const rows = () => system.database("mail")`select 1 from emails where to_address = ${ann.email}`;
    await until("the mail is there", async () => (await rows()).length === 1, 20_000);
    await page.getByRole("link", { name: "Back to signing in" }).click();
    await window.signIn(ann.email);
    await window.inbox();
    window.assertOnlyOurs();
  },
});
