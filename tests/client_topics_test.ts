/** The web client's pages of topics, in a real browser: what two people do with one topic, and what a refusal looks like. */

import assert from "node:assert/strict";
import { leftOut, startBrowser } from "./helpers/browser.ts";
import { User } from "./helpers/client.ts";
import { AppWindow, startWithClient, userOf } from "./helpers/client_app.ts";
import { listening, until } from "./helpers/system.ts";

const ignore = leftOut("client topics");

/** A name that would do something if it were taken for more than text. */
const MARKUP = `late <img src=x onerror="alert(1)"> lunch {0} <a href=javascript:alert(2)>`;

Deno.test({
  name:
    "client topics - one is created, found, joined, renamed, hidden, its people invited and removed, and it is deleted",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const [ann, bob] = [await open(browser, system), await open(browser, system)];
    await ann.register("ann@example.com");
    await bob.register("bob@example.com");
    const api = await userOf(system, "ann@example.com");

    // Created from where one is told that there are none; back is where one was before.
    await ann.page.getByRole("link", { name: "Topics" }).click();
    await ann.page.getByText("You haven't joined a topic yet").waitFor();
    await ann.page.getByRole("button", { name: "Mine" }).click();
    await ann.page.getByText("You have no topics of your own yet").waitFor();
    await ann.page.getByRole("button", { name: "New topic" }).first().click();
    await ann.page.getByRole("textbox", { name: "Name" }).fill("lunch");
    await ann.page.getByRole("radio", { name: "Those you invite" }).check();
    await ann.page.getByLabel("Days to keep").fill("7");
    await ann.page.getByRole("button", { name: "Create topic" }).click();
    await ann.page.getByRole("heading", { name: "lunch", level: 1 }).waitFor();
    const address = ann.page.url();
    await ann.page.goBack();
    await ann.page.getByRole("link", { name: "lunch" }).waitFor();
    assert.match(ann.page.url(), /\/topics\?show=mine$/);
    await ann.page.goForward();

    // To others it isn't there until they are invited.
    await bob.page.goto(address);
    await bob.page.getByText("This topic isn't here").waitFor();
    await ann.page.getByLabel("Invite people").fill("BOB@");
    await ann.page.getByRole("button", { name: "Invite bob@example.com" }).click();
    await ann.page.getByText("Invited", { exact: true }).waitFor();
    await until(
      "the invitation",
      async () =>
        (await userOf(system, "bob@example.com")).get("{ topics { edges { node { id } } } }")
          .then(({ topics }) => topics.edges.length === 1),
    );
    await bob.page.getByRole("button", { name: "Find topics" }).click();
    await bob.page.getByRole("searchbox", { name: "Search by name" }).fill("UNC");
    await bob.page.waitForURL(/search=UNC/);
    await bob.page.getByRole("button", { name: "Join lunch" }).click();
    await bob.page.getByRole("button", { name: "Leave lunch" }).waitFor();
    await bob.page.getByText("1 subscriber").waitFor();
    await bob.page.getByRole("link", { name: "lunch" }).click();
    await bob.page.getByText("Nothing yet.").waitFor();

    // What is sent is on the topic's page at once, for its subscribers.
    await listening(system, 2);
    const topicId = address.split("/").at(-1)!;
    await api.send(topicId, "Soup is ready.");
    await bob.page.getByText("Soup is ready.").waitFor();

    // Mails: chosen, and still so after a reload.
    await bob.page.getByRole("combobox", { name: "Mails of lunch" }).selectOption("DIGEST");
    await bob.page.getByLabel("How often").selectOption("HOUR");
    const preference = async () =>
      (await (await userOf(system, "bob@example.com")).get(
        "query ($id: ID!) { topic(id: $id) { mailPreference { preference every } } }",
        { id: topicId },
      )).topic.mailPreference;
    await until("the choice is kept", async () => (await preference()).every === "HOUR");
    await bob.page.reload();
    assert.equal(await bob.page.getByRole("combobox", { name: "Mails of lunch" }).inputValue(), "DIGEST");

    // Renamed, open to all, inactive; and what is refused is as it was.
    await User.register(system).then((other) => other.createTopic("taken"));
    await ann.page.getByRole("textbox", { name: "Name" }).fill("TAKEN");
    await ann.page.getByRole("button", { name: "Save" }).click();
    await ann.page.getByText("lunch is as it was: There is a topic of this name already.").waitFor();
    await ann.page.getByRole("heading", { name: "lunch", level: 1 }).waitFor();
    assert.equal(await ann.page.getByRole("textbox", { name: "Name" }).inputValue(), "lunch");
    await ann.page.getByRole("textbox", { name: "Name" }).fill(MARKUP);
    await ann.page.getByRole("radio", { name: "Everyone" }).check();
    await ann.page.getByRole("button", { name: "Save" }).click();
    await ann.page.getByRole("heading", { name: MARKUP, level: 1 }).waitFor();
    await ann.page.getByRole("switch", { name: "Active" }).click();
    await ann.page.getByText("Inactive", { exact: true }).waitFor();
    const state = "query ($id: ID!) { topic(id: $id) { name visibility status retentionDays } }";
    await until("all is kept", async () => {
      const { topic } = await api.get(state, { id: topicId });
      return topic.status === "INACTIVE" && topic.visibility === "PUBLIC" && topic.name === MARKUP;
    });

    // A person is taken out.
    await ann.page.reload();
    await ann.page.getByRole("button", { name: "Remove bob@example.com" }).click();
    await ann.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await ann.page.getByText("Nobody is subscribed yet.").waitFor();
    await until("bob is out", async () =>
      !(await (await userOf(system, "bob@example.com")).get(
        "query ($id: ID!) { topic(id: $id) { subscribed } }",
        { id: topicId },
      )).topic.subscribed);

    // Deleted, after one was told what goes.
    await ann.page.getByRole("button", { name: "Delete…" }).click();
    await ann.page.getByText(`Nobody is subscribed to ${MARKUP}. All of its notifications go`).waitFor();
    await ann.page.getByRole("button", { name: "Delete it all" }).click();
    await ann.page.getByText(`${MARKUP} is deleted`).waitFor();
    await ann.page.getByText("You have no topics of your own yet").waitFor();
    await bob.page.reload();
    await bob.page.getByText("This topic isn't here").waitFor();
    for (const window of [ann, bob]) {
      assert.equal(await window.page.locator("img[src=x], a[href^=javascript]").count(), 0);
      window.assertOnlyOurs();
    }
  },
});

Deno.test({
  name:
    "client settings - one sees one's sessions and ends others, has a mail sent, chooses pictures and mails, signs out",
  ignore,
  async fn() {
    await using system = await startWithClient();
    await using browser = await startBrowser();
    const [desk, phone] = [await open(browser, system), await open(browser, system)];
    await desk.register("ann@example.com");
    await phone.signIn("ann@example.com");
    await phone.inbox();
    const { page } = desk;
    const api = await userOf(system, "ann@example.com");
    const topicId = await api.createTopic(MARKUP);
    await api.join(topicId);
    await api.get("mutation ($id: ID!) { setMailPreference(topicId: $id, preference: ALWAYS) { id } }", {
      id: topicId,
    });

    // By the keyboard alone: the menu is where one is.
    await page.getByRole("button", { name: "Account of ann@example.com" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Settings" }).press("Enter");
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();

    const sessions = page.getByRole("list", { name: "Where you are signed in" }).getByRole("listitem");
    await sessions.nth(2).waitFor();
    assert.equal(await sessions.count(), 3);
    assert.equal(await sessions.getByText("This one").count(), 1);
    await page.getByRole("button", { name: "End all others" }).click();
    await page.getByText("2 other browsers or programs are signed out at once.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "End all others" }).click();
    await page.getByText("You are signed in here alone").waitFor();
    await phone.page.getByText("Your session has ended. Please sign in again.").waitFor();
    assert.equal(await api.code("{ me { id } }"), "UNAUTHENTICATED");
    assert.equal(await sessions.count(), 1);

    // What holds for this browser holds after a reload.
    await page.getByRole("group", { name: "Pictures of people" }).getByRole("button", { name: "Letters" }).click();
    await page.getByRole("group", { name: "Colours" }).getByRole("button", { name: "Dark" }).click();
    await page.getByRole("switch", { name: "Play a sound" }).click();
    await page.getByRole("combobox", { name: `Mails of ${MARKUP}` }).selectOption("DIGEST");
    const again = await userOf(system, "ann@example.com");
    const kept = "{ mailPreferences { edges { node { name mailPreference { preference } } } } }";
    await until(
      "the choice is kept",
      async () => (await again.get(kept)).mailPreferences.edges[0].node.mailPreference.preference === "DIGEST",
    );
    await page.reload();
    await page.getByRole("button", { name: "Letters", pressed: true }).waitFor();
    await page.getByRole("button", { name: "Dark", pressed: true }).waitFor();
    assert.equal(await page.getAttribute("html", "data-mantine-color-scheme"), "dark");
    assert.equal(await page.getByRole("switch", { name: "Play a sound" }).isChecked(), true);
    assert.equal(await page.getByRole("combobox", { name: `Mails of ${MARKUP}` }).inputValue(), "DIGEST");
    assert.equal(await page.locator("img[src=x], a[href^=javascript]").count(), 0);

    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("A mail with the link to a new password is on its way").waitFor();
    await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    for (const window of [desk, phone]) window.assertOnlyOurs();
  },
});

function open(...[browser, system]: Parameters<typeof AppWindow.open>): Promise<AppWindow> {
  return AppWindow.open(browser, system);
}
