/** Tabs of one user in a real browser: one socket over all of them, also when the tab that has it is closed or frozen. */

import assert from "node:assert/strict";
import { leftOut } from "../../tests/helpers/browser.ts";
import { User } from "../../tests/helpers/client.ts";
import { listening, until } from "../../tests/helpers/system.ts";
import { Place } from "./testing/place.ts";

const ignore = leftOut("client tabs");

Deno.test({
  name:
    "client tabs - one socket over three tabs; the tab that has it is closed, another takes over: nothing missed, nothing twice",
  ignore,
  async fn() {
    await using place = await Place.make();
    const { system } = place;
    const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
    const topicId = await ann.createTopic();
    await bob.join(topicId);
    const first = await place.open(bob);
    const others = [];
    for (let nth = 0; nth < 2; nth++) others.push(await place.open(bob));
    await place.hasSockets(1);
    await listening(system, 3);

    const sent: string[] = [];
    const send = (message: string) => (sent.push(message), ann.send(topicId, message));
    for (let nth = 0; nth < 5; nth++) await send(`number ${sent.length}`);
    for (const tab of [first, ...others]) await tab.has(sent);

    // What one acknowledges all know.
    const { items: [newest] } = await first.get("notifyx.inbox()");
    await first.get(`notifyx.acknowledge("${newest.id}")`);
    for (const tab of [first, ...others]) {
      await until(
        "it knows what is seen",
        async () => (await tab.get("seen.length")) === 1 && await tab.get("unseen") === 4,
      );
      assert.deepEqual(await tab.get("seen"), [{ ids: [newest.id] }]);
    }

    const closing = first.page.close();
    for (let nth = 0; nth < 20; nth++) await send(`while it closes ${nth}`);
    await closing;
    for (let nth = 0; nth < 5; nth++) await send(`after it ${nth}`);
    for (const tab of others) await tab.has(sent);
    await place.hasSockets(1);

    await bob.get("mutation { logout }");
    for (const tab of others) {
      await until("the session has ended", async () => await tab.get("ended") > 0);
      assert.equal(await tab.get("ended"), 1);
    }
    await place.hasSockets(0);
  },
});

Deno.test({
  name: "client tabs - a tab that has the socket and is frozen is left to itself, and follows once it is thawed",
  ignore,
  async fn() {
    await using place = await Place.make();
    const { system } = place;
    const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
    const topicId = await ann.createTopic();
    await bob.join(topicId);
    const frozen = await place.open(bob);
    const other = await place.open(bob);
    await place.hasSockets(1);
    await listening(system, 2);
    await ann.send(topicId, "before");
    await frozen.has(["before"]);

    // Held at its next statement: it does nothing, and keeps its lock and its socket.
    const devtools = await place.context.newCDPSession(frozen.page);
    await devtools.send("Debugger.enable");
    const held = new Promise((resolve) => devtools.once("Debugger.paused", resolve));
    await devtools.send("Debugger.pause");
    await held;
    await ann.send(topicId, "meanwhile");
    await other.has(["before", "meanwhile"], 20_000);
    await devtools.send("Debugger.disable");
    await ann.send(topicId, "after");
    for (const tab of [frozen, other]) await tab.has(["before", "meanwhile", "after"]);
    await place.hasSockets(1);
  },
});

Deno.test({
  name: "client tabs - tabs that don't share, or are of two users, have sockets of their own",
  ignore,
  async fn() {
    await using place = await Place.make();
    const { system } = place;
    const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
    for (const user of [ann, bob, bob]) await place.open(user);
    for (const user of [ann, bob]) await place.open(user, "apart");
    await place.hasSockets(4);
  },
});
