/** A message's story by the keyboard alone: whatever Tab reaches is seen to be reached, and there is a way on from everywhere. */

import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, PASSWORD, startWithClient } from "./helpers/client_app.ts";
import { listening, until } from "./helpers/system.ts";

const ignore = leftOut("client keyboard");

/** So many times Tab at most from one thing to another that is wanted next. */
const MOST_TABS = 60;

/**
 * Runs in the page: how everything looks that can have the focus, with what stands around it, which may show it in its place; and whether
 * what has the focus now looks otherwise than before.
 */
const LOOKS = `
  globalThis.looks = () => {
    const look = (one, part) => {
      const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor } = getComputedStyle(one, part);
      return [outlineStyle === "none" ? "" : outlineWidth + outlineStyle, boxShadow, borderColor, backgroundColor].join();
    };
    const around = (one) => {
      const places = [one, one.nextElementSibling];
      // A link that stands for its whole row is shown by that.
      for (let parent = one.parentElement; parent !== null && places.length < 6; parent = parent.parentElement) places.push(parent);
      return [look(one, "::after"), ...places.filter(Boolean).map((place) => look(place))].join("|");
    };
    const all = document.querySelectorAll("a[href], button, input, select, textarea, [tabindex]");
    return new Map([...all].map((one) => [one, around(one)]));
  };
  globalThis.remember = () => { globalThis.before = looks(); };
  globalThis.isVisible = async () => {
    // A colour may be on its way to another for some frames.
    for (let frame = 0; frame < 30; frame++) {
      const one = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      const isOutlined = outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
      if (one === document.body || isOutlined || before.get(one) !== looks().get(one)) return true;
      await new Promise(requestAnimationFrame);
    }
    return false;
  };
`;

/** Goes on by Tab until `wanted` has the focus. @throws Error where what is on the way isn't seen, or it isn't reached */
async function tabTo(page: Page, wanted: Locator, key = "Tab"): Promise<void> {
  await wanted.waitFor();
  const way: string[] = [];
  for (let nth = 0; nth < MOST_TABS; nth++) {
    await page.evaluate("remember()");
    await page.keyboard.press(key);
    const focused = await page.evaluate("document.activeElement.outerHTML.slice(0, 160)") as string;
    assert.ok(await page.evaluate("isVisible()"), `the focus isn't seen on ${focused}`);
    if (await isFocused(page, wanted)) return;
    way.push(focused);
  }
  throw new Error(`not reached by ${MOST_TABS} times ${key}: ${wanted}\n${way.join("\n")}`);
}

async function isFocused(page: Page, one: Locator): Promise<boolean> {
  return await one.and(page.locator(":focus")).count() === 1;
}

async function press(page: Page, wanted: Locator): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press("Enter");
}

Deno.test({
  name:
    "client keyboard - signs in, goes to a topic, sends, acknowledges, undoes, finds help and settings, without a mouse",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const ann = await User.register(system);
    const topicId = await ann.createTopic("kitchen");
    await ann.join(topicId);
    const window = await AppWindow.open(browser, system, { path: "/sign-in", reducedMotion: "reduce" });
    const { page } = window;
    await window.context.addInitScript(LOOKS);
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();

    await tabTo(page, page.getByLabel("E-mail address"));
    await page.keyboard.type(ann.email);
    await tabTo(page, page.getByLabel("Password", { exact: true }));
    await page.keyboard.type(PASSWORD);
    await press(page, page.getByRole("button", { name: "Sign in" }));
    await window.inbox();
    await listening(system, 1);

    const pages = page.getByRole("navigation", { name: "Pages" });
    await press(page, pages.getByRole("link", { name: "Topics" }));
    await press(page, page.getByRole("link", { name: "kitchen" }));
    await page.getByRole("heading", { name: "kitchen" }).waitFor();

    await press(page, pages.getByRole("link", { name: "Compose" }));
    await tabTo(page, page.getByRole("combobox", { name: "Topic" }));
    await page.keyboard.type("kit");
    await page.getByRole("option", { name: "kitchen" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("Everyone (1 person)").waitFor();
    await tabTo(page, page.getByRole("textbox", { name: "Message" }));
    await page.keyboard.type("Soup is ready.");
    await press(page, page.getByRole("button", { name: "Send" }));
    await page.getByText("Seen by 0 of 1").waitFor();

    await press(page, pages.getByRole("link", { name: "Inbox" }));
    await window.shows(["Soup is ready."]);
    const row = page.getByRole("article");
    await tabTo(page, row);
    // Into the row, and out of it again.
    await tabTo(page, row.getByRole("button", { name: "Mark as seen" }));
    await tabTo(page, row, "Shift+Tab");
    await page.keyboard.press("e");
    await page.getByText("All seen").first().waitFor();
    await tabTo(page, page.getByRole("button", { name: "Undo" }));
    await page.keyboard.press("Enter");
    await page.getByText("1 unseen").first().waitFor();
    await tabTo(page, row.getByRole("button", { name: "Mark as seen" }));
    await page.keyboard.press("Enter");
    await page.getByText("All seen").first().waitFor();
    await page.keyboard.press("z");
    await page.getByText("1 unseen").first().waitFor();

    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await tabTo(page, help.getByRole("button", { name: "Close" }));
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });

    // Around the whole page and back to where it begins.
    const skip = page.getByRole("link", { name: "Skip to the content" });
    await tabTo(page, skip);
    await page.keyboard.press("Enter");
    await until("it skips", async () => await page.evaluate("document.activeElement.id") === "content");
    await tabTo(page, skip, "Shift+Tab");

    await press(page, page.getByRole("button", { name: `Account of ${ann.email}` }));
    const settings = page.getByRole("menuitem", { name: "Settings" });
    await settings.waitFor();
    for (let nth = 0; nth < 12 && !await isFocused(page, settings); nth++) {
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    await tabTo(page, page.getByRole("button", { name: "Change the password" }));
    window.assertOnlyOurs();
  },
});
