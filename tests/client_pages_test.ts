/**
 * Every page of the web client as it is looked at: wide and narrow, light and dark. On each, WCAG 2.2 AA by npm `axe-core`, no layout that
 * shifts, nothing that the page's policy refuses, and a picture where NOTIFYX_SCREENSHOTS names a folder.
 */

import axe from "axe-core";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, DESKTOP, PHONE, startWithClient } from "./helpers/client_app.ts";

const ignore = leftOut("client pages");

const MOST_SHIFT = 0.05;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Runs in each page, before its own scripts: what moved without anybody's doing, and what the policy refused. */
const WATCH = `
  globalThis.shifted = 0;
  globalThis.refused = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) globalThis.shifted += value;
  }).observe({ type: "layout-shift", buffered: true });
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    globalThis.refused.push(violatedDirective + " " + blockedURI));
`;

/** A page, and how one gets to what is to be seen of it. */
interface Look {
  readonly name: string;
  readonly path: string;
  readonly ready: (page: Page) => Promise<unknown>;
}

const SIGNED_OUT: readonly Look[] = [
  { name: "sign-in", path: "/sign-in?ended=true", ready: (page) => page.getByText("session has ended").waitFor() },
  {
    name: "register",
    path: "/register",
    async ready(page) {
      await page.getByRole("button", { name: "Create account" }).click();
      await page.getByText("at least 8 characters").waitFor();
    },
  },
  {
    name: "forgotten-password",
    path: "/forgotten-password",
    async ready(page) {
      await page.getByLabel("E-mail address").fill("ann@example.com");
      await page.getByRole("button", { name: "Send the link" }).click();
      await page.getByText("belongs to an account").waitFor();
    },
  },
];

const SIGNED_IN: readonly Look[] = [
  { name: "inbox", path: "/inbox", ready: (page) => page.getByText("Soup is ready.").first().waitFor() },
  {
    name: "inbox-nothing",
    path: "/inbox?from=00000000-0000-7000-8000-000000000000",
    ready: (page) => page.getByText("Nothing here").waitFor(),
  },
  {
    name: "selected",
    path: "/inbox",
    async ready(page) {
      await page.getByText("Soup is ready.").first().waitFor();
      for (const key of "jxjx") await page.keyboard.press(key);
      await page.getByRole("toolbar", { name: "2 selected" }).waitFor();
    },
  },
  {
    name: "notification",
    path: "/inbox",
    async ready(page) {
      await page.getByRole("article").nth(1).getByRole("link").click();
      await page.getByRole("region", { name: "Notification" }).getByRole("heading").waitFor();
    },
  },
  {
    name: "undo",
    path: "/inbox",
    async ready(page) {
      await page.getByText("Soup is ready.").first().waitFor();
      await page.getByRole("button", { name: "Mark all as seen" }).click();
      await page.getByRole("button", { name: "Undo" }).waitFor();
      await page.keyboard.press("z");
      await page.getByText("Unseen again").waitFor();
    },
  },
  {
    name: "keys",
    path: "/inbox",
    async ready(page) {
      await page.getByText("Soup is ready.").first().waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    },
  },
  {
    name: "account",
    path: "/inbox",
    async ready(page) {
      await page.getByText("Soup is ready.").first().waitFor();
      await page.getByRole("button", { name: /^Account of/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    },
  },
  {
    name: "compose-wrong",
    path: "/compose",
    async ready(page) {
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("Write what you want to say.").waitFor();
    },
  },
  {
    name: "compose-topics",
    path: "/compose",
    async ready(page) {
      await page.getByRole("combobox", { name: "Topic" }).click();
      await page.getByRole("option", { name: "kitchen" }).waitFor();
    },
  },
  {
    name: "compose",
    path: "/compose",
    async ready(page) {
      await page.getByRole("combobox", { name: "Topic" }).fill("kit");
      await page.getByRole("option", { name: "kitchen" }).click();
      await page.getByText("Chosen people").click();
      await page.getByRole("combobox", { name: "People" }).fill("user");
      await page.getByRole("option", { name: "user" }).first().click();
      await page.getByRole("textbox", { name: "Message" }).fill(MESSAGES[1]!);
      await page.getByRole("region", { name: "Preview" }).getByRole("link").waitFor();
    },
  },
  { name: "sent", path: "/sent", ready: (page) => page.getByText("Seen by 1 of 2").waitFor() },
  {
    name: "sent-nothing",
    path: "/sent?topic=00000000-0000-7000-8000-000000000000",
    ready: (page) => page.getByRole("button", { name: "Try again" }).waitFor(),
  },
  {
    name: "sent-one",
    path: "/sent",
    async ready(page) {
      await page.getByRole("link", { name: "Soup is ready." }).click();
      await page.getByRole("list", { name: "Who has seen it" }).waitFor();
    },
  },
  {
    name: "retract",
    path: "/sent",
    async ready(page) {
      await page.getByRole("link", { name: "Soup is ready." }).click();
      await page.getByRole("button", { name: "Take back" }).click();
      await page.getByRole("dialog", { name: "Take this notification back?" }).waitFor();
    },
  },
  { name: "system", path: "/system", ready: (page) => page.getByText("All is well").waitFor() },
  { name: "topics", path: "/topics", ready: (page) => page.getByRole("button", { name: "Leave lunch" }).waitFor() },
  {
    name: "topics-nothing",
    path: "/topics?show=mine&search=nothing",
    ready: (page) => page.getByText("No topic here is called “nothing”").waitFor(),
  },
  {
    name: "topic-new",
    path: "/topics?create=true",
    async ready(page) {
      await page.getByRole("dialog").getByRole("button", { name: "Create topic" }).click();
      await page.getByText("A topic needs a name.").waitFor();
    },
  },
  {
    name: "topic",
    path: "/topics",
    async ready(page) {
      await page.getByRole("link", { name: "lunch" }).click();
      await page.getByText("Soup is ready.").first().waitFor();
      await page.getByRole("combobox", { name: "Mails of lunch" }).waitFor();
    },
  },
  {
    name: "topic-mine",
    path: "/topics?show=mine",
    async ready(page) {
      await page.getByRole("link", { name: "Board" }).click();
      await page.getByLabel("Invite people").fill("example");
      await page.getByRole("button", { name: /^Invite user/ }).first().waitFor();
      await page.getByText("Nobody is subscribed yet.").waitFor();
    },
  },
  {
    name: "topic-delete",
    path: "/topics?show=mine",
    async ready(page) {
      await page.getByRole("link", { name: "Board" }).click();
      await page.getByRole("button", { name: "Delete…" }).click();
      await page.getByRole("dialog", { name: "Delete Board?" }).waitFor();
    },
  },
  { name: "topic-gone", path: "/topics/none", ready: (page) => page.getByText("This topic isn't here").waitFor() },
  {
    name: "settings",
    path: "/settings",
    async ready(page) {
      await page.getByText("This one").waitFor();
      await page.getByRole("combobox", { name: "Mails of lunch" }).waitFor();
      await page.getByText(/notifications? sent/).waitFor();
    },
  },
  { name: "none", path: "/no/such/page", ready: (page) => page.getByText("There is no such page").waitFor() },
];

const MAILS = "mutation ($topicId: ID!) { setMailPreference(topicId: $topicId, preference: WHEN_AWAY) { id } }";

const MESSAGES = [
  "Soup is ready.",
  "The build of main failed: 3 tests. See https://ci.example.com/runs/4711 for what they said, and who is on it.",
  "Maintenance tonight from 22:00 to 22:30 UTC. Nothing to do on your side; connections come back by themselves, and what arrives meanwhile is there afterwards.",
  "Ещё €5",
  "مرحبا بالعالم",
];

Deno.test({
  name: "client pages - wide and narrow, light and dark: accessible, still, and within their policy",
  ignore,
  async fn(t) {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const ann = await User.register(system);
    const readers: User[] = [];
    for (const name of ["lunch", "deployments of all services in production"]) {
      const bob = await User.register(system);
      const topicId = await bob.createTopic(name);
      await ann.join(topicId);
      for (const message of MESSAGES) await bob.send(topicId, message);
      if (name === "lunch") await ann.get(MAILS, { topicId });
      readers.push(bob);
    }
    const own = await ann.createTopic("kitchen");
    for (const reader of readers) await reader.join(own);
    for (const message of MESSAGES) await ann.send(own, message);
    const { notifications } = await readers[0]!.get("{ notifications { edges { node { id message } } } }");
    const { node } = notifications.edges.find((edge: { node: { message: string } }) =>
      edge.node.message === MESSAGES[0]
    );
    await readers[0]!.get("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", { ids: [node.id] });
    await ann.createTopic("Board");
    for (const [size, viewport] of [["desktop", DESKTOP], ["phone", PHONE]] as const) {
      for (const colorScheme of ["light", "dark"] as const) {
        // Pages of whoever is signed in share a session; each is loaded anew.
        const window = await AppWindow.open(browser, system, { viewport, colorScheme, reducedMotion: "reduce" });
        await window.context.addInitScript(WATCH);
        const look = async ({ name, path, ready }: Look) => {
          await window.page.goto(window.url + path);
          await ready(window.page);
          await window.screenshot(`${name}-${size}-${colorScheme}`);
          await assertGood(window.page);
        };
        for (const one of SIGNED_OUT) await t.step(`${one.name}, ${size}, ${colorScheme}`, () => look(one));
        await window.page.goto(`${window.url}/sign-in`);
        await window.signIn(ann.email);
        await window.inbox();
        for (const one of SIGNED_IN) await t.step(`${one.name}, ${size}, ${colorScheme}`, () => look(one));
        window.assertOnlyOurs();
        await window.context.close();
      }
    }
  },
});

async function assertGood(page: Page): Promise<void> {
  const { shifted, refused } = await page.evaluate("({ shifted, refused })") as { shifted: number; refused: string[] };
  assert.deepEqual(refused, []);
  assert.ok(shifted <= MOST_SHIFT, `the layout shifted by ${shifted}`);
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
