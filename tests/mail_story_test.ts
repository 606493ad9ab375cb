/** What a new user sees of mail, in a real browser, with no SMTP server set: from the choice to the click that ends it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { CHROMIUM, sayIfMissing, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { mailsSettled } from "./helpers/mails.ts";
import { startSystem, type System, until } from "./helpers/system.ts";

sayIfMissing("the story of mail");

/** Pictures are left here, where somebody asks for them: docs/images/inbox.png is one. */
const SCREENSHOTS = Deno.env.get("NOTIFYX_SCREENSHOTS");
const LIMIT_MS = 30_000;
const MAIL_ME = `mutation ($id: ID!) {
  setMailPreference(topicId: $id, preference: ALWAYS) { mailPreference { preference } }
}`;
const PREFERENCE = "query ($id: ID!) { topic(id: $id) { subscribed mailPreference { preference } } }";

Deno.test({
  name:
    "mail story - a new user asks for mail on a topic, reads it in the inbox, unsubscribes by its link, and gets no more",
  ignore: CHROMIUM === undefined,
  async fn() {
    await using system = await startSystem({ counts: { mail: 2 } });
    await using browser = await startBrowser();
    const [ann, bob, carl] = await Promise.all(
      ["ann", "bob", "carl"].map((name) => User.register(system, `${name}@example.com`)),
    ) as [User, User, User];
    const topic = await bob.createTopic("Kitchen & canteen");
    for (const user of [ann, carl]) {
      await user.join(topic);
      await user.get(MAIL_ME, { id: topic });
    }

    const page = await openPage(browser);
    await page.goto(`${system.url("mail")}/inbox`);
    await page.getByText("No mail yet.").waitFor();
    await bob.send(topic, "Soup is ready.\n\nThere is bread as well, and cake for the first ten.");
    // The list is open all the while: what comes shows by itself.
    const mail = page.locator("li", { hasText: ann.email });
    await mail.waitFor();
    assert.match(await mail.innerText(), /^A\s+Kitchen & canteen: Soup is ready\. There is bread/);
    await page.locator("li", { hasText: carl.email }).waitFor();
    assert.equal(await page.locator("li").count(), 2);
    await screenshot(page, "inbox-list.png");

    await mail.click();
    const frame = page.frameLocator("iframe");
    await frame.locator("p", { hasText: "and cake for the first ten." }).waitFor();
    await screenshot(page, "inbox.png");
    await page.getByRole("link", { name: "Text", exact: true }).click();
    await page.locator("pre", { hasText: "There is bread as well, and cake" }).waitFor();
    await page.getByRole("link", { name: "Source" }).click();
    await page.locator("pre", { hasText: "List-Unsubscribe-Post: List-Unsubscribe=One-Click" }).waitFor();
    await page.getByRole("link", { name: "HTML" }).click();

    const [other] = await Promise.all([
      page.waitForEvent("popup"),
      frame.getByRole("link", { name: "No more mail on it" }).click(),
    ]);
    await other.getByRole("heading", { name: "No more mails?" }).waitFor();
    assert.ok(other.url().startsWith(`${system.url()}/unsubscribe/`), other.url());
    assert.equal(await preference(ann, topic), "ALWAYS", "a look at the page changes nothing");
    await screenshot(other, "unsubscribe.png");
    await other.getByRole("button", { name: "Unsubscribe" }).click();
    await other.getByRole("heading", { name: "You are unsubscribed" }).waitFor();
    assert.equal(await preference(ann, topic), "NEVER");

    await bob.send(topic, "The cake is gone.");
    await until("carl's next mail", async () => (await mailsFor(system, carl)) === 2, LIMIT_MS);
    await mailsSettled(system, LIMIT_MS);
    assert.equal(await mailsFor(system, ann), 1);
    assert.equal((await ann.get("{ unseenCount }")).unseenCount, 2);

    // As a mail program does it, by what stands in the mail's head.
    const link = await unsubscribeLink(system, carl);
    const clicked = await fetch(link, {
      method: "POST",
      redirect: "error",
      body: new URLSearchParams("List-Unsubscribe=One-Click"),
    });
    assert.equal(clicked.status, 200);
    await clicked.body?.cancel();
    assert.equal(await preference(carl, topic), "NEVER");
    await bob.send(topic, "Nobody hears of this by mail.");
    await mailsSettled(system, LIMIT_MS);
    assert.deepEqual([await mailsFor(system, ann), await mailsFor(system, carl)], [1, 2]);

    for (const [name, options] of Object.entries(LOOKS)) {
      if (SCREENSHOTS === undefined) break;
      const looked = await openPage(browser, options);
      await looked.goto(page.url());
      await screenshot(looked, `inbox-${name}.png`);
      await looked.goto(`${system.url("mail")}/inbox`);
      await screenshot(looked, `inbox-list-${name}.png`);
      await looked.goto(other.url());
      await screenshot(looked, `unsubscribe-${name}.png`);
    }
  },
});

const LOOKS: Record<string, BrowserContextOptions> = {
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 780 } },
};

/** A page whose complaints, such as of what its policy forbids, fail the test. */
async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 720 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const complain = (text: string) => assert.fail(text);
  page.on("pageerror", ({ message }) => complain(message));
  page.on("console", (message) => message.type() === "error" && complain(message.text()));
  return page;
}

async function screenshot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  await Deno.mkdir(SCREENSHOTS, { recursive: true });
  await page.mouse.move(5, 5);
  await page.screenshot({ path: join(SCREENSHOTS, name) });
}

async function preference(user: User, topicId: string): Promise<string> {
  const { topic } = await user.get(PREFERENCE, { id: topicId });
  assert.equal(topic.subscribed, true);
  return topic.mailPreference.preference;
}

/** By the other node: all show the same. */
async function mailsFor(system: System, { email }: User): Promise<number> {
  const page = await fetch(`${system.url("mail", 1)}/inbox?address=${email}`);
  assert.equal(page.status, 200);
  return (await page.text()).split("<li>").length - 1;
}

async function unsubscribeLink(system: System, { email }: User): Promise<string> {
  const list = await (await fetch(`${system.url("mail")}/inbox?address=${email}`)).text();
  const source = await (await fetch(`${system.url("mail")}${/href="(\/inbox\/\d+)"/.exec(list)![1]}/source`)).text();
  return /^List-Unsubscribe:\s+<([^>]+)>\r?$/m.exec(source)![1]!;
}
