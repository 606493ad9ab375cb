/** What people write into every field, where it is markup: it is text on every page, runs nowhere, and the pages' policy is never asked. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, startWithClient } from "./helpers/client_app.ts";
import { until } from "./helpers/system.ts";

const ignore = leftOut("client markup");

/** Each would leave its mark on the page if it ran, in one of the usual ways. */
const ATTEMPTS = [
  '<script>ran.push("script")</script>',
  '<img src=x onerror="ran.push(1)">',
  '"><svg onload=ran.push(2)>',
  "'-ran.push(3)-'",
  '<iframe srcdoc="<script>parent.ran.push(4)</script>"></iframe>',
  "javascript:ran.push(5)//",
  "{{constructor.constructor('ran.push(6)')()}}",
  "</title><style>*{display:none}</style>",
];
const ALL = ATTEMPTS.join(" ");
/** What a topic's name and an address have room for. */
const SHORT = ATTEMPTS[1]! + ATTEMPTS[2]!;
/** Of an address that is valid by the rules for them. */
const EMAIL = "x'onerror='ran.push/{{1}}`@example.com";

/** Runs in each page, before its own scripts. */
const WATCH = `
  globalThis.ran = [];
  addEventListener("securitypolicyviolation", ({ violatedDirective }) => ran.push(violatedDirective));
`;
const FOREIGN = "img[src='x'], [onerror], [onload], iframe[srcdoc^='<script'], a[href^='javascript' i]";

async function assertText(page: Page, where: string): Promise<void> {
  assert.deepEqual(await page.evaluate("ran"), [], where);
  const found = `[
    ...document.querySelectorAll(${JSON.stringify(FOREIGN)}),
    ...[...document.querySelectorAll("script, style")].filter(({ textContent }) => /ran\\.push|display:none}$/.test(textContent)),
  ].map((one) => one.outerHTML.slice(0, 200))`;
  assert.deepEqual(await page.evaluate(found), [], where);
}

Deno.test({
  name: "client markup - topics, messages, addresses and subjects are text on every page",
  ignore,
  async fn() {
    await using system = await startWithClient({ counts: { mail: 1 } });
    await using browser = await startBrowser();
    const ann = await User.register(system, EMAIL);
    const bob = await User.register(system);
    // No such address is taken; one that had got in by another way would be shown the same.
    await system.database("auth")`update users set email = ${SHORT} where id = ${bob.id}`;
    const topicId = await ann.createTopic(SHORT);
    for (const user of [ann, bob]) await user.join(topicId);
    const bobs = await bob.createTopic(ATTEMPTS[4]!);
    await ann.join(bobs);
    const { id: hers } = await ann.send(topicId, ALL);
    const { id: his } = await bob.send(bobs, ALL);
    await bob.get("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", { ids: [hers] });
    const { sendEmail } = await ann.get(
      'mutation ($subject: String!, $message: String!) { sendEmail(to: "eve@example.com", subject: $subject, message: $message) { id } }',
      { subject: ALL.slice(0, 150), message: ALL },
    );
    const mail = async () =>
      (await ann.get("query ($id: ID!) { email(id: $id) { status } }", { id: sendEmail.id })).email;
    await until("the mail is sent", async () => (await mail()).status === "SENT", 30_000);

    const window = await AppWindow.open(browser, system);
    const { page } = window;
    await window.context.addInitScript(WATCH);
    await page.goto(`${window.url}/sign-in?to=${encodeURIComponent("javascript:ran.push(7)")}`);
    await window.signIn(EMAIL);
    await window.inbox();
    await window.shows([ALL, ALL]);
    const look = async (path: string, text: string) => {
      await page.goto(window.url + path);
      await page.locator("main").getByText(text).filter({ visible: true }).first().waitFor();
      await assertText(page, path);
    };
    await look("/inbox", SHORT);
    await look(`/inbox/${his}`, ATTEMPTS[4]!);
    await look(`/inbox/${hers}`, EMAIL);
    await look("/topics?show=all", SHORT);
    await look(`/topics?search=${encodeURIComponent(ALL.slice(0, 90))}`, ALL.slice(0, 90));
    await look(`/topics/${topicId}`, SHORT);
    await look(`/topics/${bobs}`, ATTEMPTS[4]!);
    await look("/sent", ATTEMPTS[0]!);
    await look(`/sent/${hers}`, ATTEMPTS[0]!);
    await look("/settings", EMAIL);
    await look("/system", "All is well");

    await page.goto(`${window.url}/compose?topic=${topicId}`);
    await page.getByText("Chosen people").click();
    await page.getByRole("combobox", { name: "People" }).fill("onerror");
    await page.getByRole("option", { name: EMAIL }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("textbox", { name: "Message" }).fill(ALL);
    assert.equal(await page.getByRole("region", { name: "Preview" }).locator("article > p").textContent(), ALL);
    await assertText(page, "/compose");
    window.assertOnlyOurs();

    // The mail itself, in the inbox of a machine where they aren't sent for real.
    const inbox = await window.context.newPage();
    await inbox.goto(`${system.url("mail")}/inbox`);
    await inbox.getByText(ATTEMPTS[0]!).first().waitFor();
    await assertText(inbox, "the mails");
    await inbox.locator("li a").first().click();
    await inbox.frameLocator("iframe").getByText(ATTEMPTS[0]!).filter({ visible: true }).first().waitFor();
    await assertText(inbox, "a mail");
  },
});
