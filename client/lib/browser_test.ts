/** One page in a real browser: its network goes and comes back, and it is loaded anew. */

import assert from "node:assert/strict";
import { CHROMIUM, sayIfMissing } from "../../tests/helpers/browser.ts";
import { User } from "../../tests/helpers/client.ts";
import { listening, until } from "../../tests/helpers/system.ts";
import { Place } from "./testing/place.ts";

sayIfMissing("client in a browser");

Deno.test({
  name:
    "client in a browser - offline and back, and loaded anew: nothing missed, nothing twice, what was sent meanwhile is sent once",
  ignore: CHROMIUM === undefined,
  async fn() {
    await using place = await Place.make();
    const { system } = place;
    const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
    const [topicId, bobsTopic] = await Promise.all([ann.createTopic(), bob.createTopic()]);
    await bob.join(topicId);
    const tab = await place.open(bob, "apart");
    await listening(system, 1);
    await ann.send(topicId, "before");
    await tab.has(["before"]);

    await place.context.setOffline(true);
    await until("it knows", async () => await tab.get("notifyx.connection.value.state") === "lost");
    assert.equal(await tab.get("notifyx.connection.value.reason"), "offline");
    await listening(system, 0);
    await tab.get(`void (window.sends = ["one", "two", "three"].map((text) => notifyx.send("${bobsTopic}", text)))`);
    await ann.send(topicId, "meanwhile");
    assert.equal(await tab.get("notifyx.sending.value"), 3);
    await place.context.setOffline(false);
    await tab.has(["before", "meanwhile"]);
    await tab.get("Promise.all(sends)");
    const { sentNotifications } = await bob.get("{ sentNotifications { edges { node { message } } } }");
    const messages = sentNotifications.edges.map(({ node }: { node: { message: string } }) => node.message);
    assert.deepEqual(messages, ["three", "two", "one"]);
    assert.deepEqual(await tab.get("caughtUp"), [1]);

    await tab.page.goto("about:blank");
    await listening(system, 0);
    await ann.send(topicId, "while it is away");
    await tab.page.goBack();
    await tab.has(["while it is away"]);
    await until("it is told", async () => (await tab.get("caughtUp")).length > 0);
    assert.deepEqual(await tab.get("caughtUp"), [1]);
  },
});
