/** Mail nodes that die or stop: what they had is sent by the others. */

import { deepEqual, ok } from "node:assert/strict";
import { delay, SECOND } from "../kit/time.ts";
import { SmtpSink } from "./helpers/smtp_sink.ts";
import { startSystem, until } from "./helpers/system.ts";
import { handOver } from "./mail/members.ts";

/** A dead node's mails are others' within so long, in milliseconds. */
const TAKE_OVER_LIMIT_MS = 30 * SECOND;

/** Whose first attempts the server never answers. */
const HANGS = "hang@example.org";

Deno.test("mail nodes", async (t) => {
  const seen = new Set<string>();
  await using sink = await SmtpSink.start({
    deal: async ({ to, messageId }) => {
      if (to[0] === HANGS && !seen.has(messageId)) {
        seen.add(messageId);
        await new Promise(() => {});
      }
      await delay(20);
      return undefined;
    },
  });
  await using system = await startSystem({
    counts: { mail: 3, gateway: 0, notifications: 0, counter: 0, avatar: 0 },
    env: { NOTIFYX_SMTP_URL: sink.url, NOTIFYX_MAIL_CONNECTIONS: "9", NOTIFYX_MAIL_CONNECTIONS_PER_NODE: "3" },
  });
  const sql = system.database("mail");
  const nodes = [0, 1, 2];
  const holder = async (id: string) => {
    const url = async () =>
      (await sql`select url from emails e join mail_nodes n on n.id = e.node_id where e.id = ${id}`)[0]?.url;
    await until("it is at the server", async () => seen.has(`<${id}@localhost>`) && await url() !== undefined);
    const held = await url();
    return nodes.find((node) => system.url("mail", node) === held)!;
  };
  const received = (ids: readonly string[]) => {
    const all = new Set(sink.ids());
    return ids.every((id) => all.has(id));
  };

  await t.step(
    "a killed node's mails are taken over, though none of the others lives for as long as a lease",
    async () => {
      const [id] = await handOver(system, [HANGS]) as [string];
      await handOver(system, Array(100).fill("someone@example.org"));
      const first = await holder(id);
      system.signal("SIGKILL", "mail", first);
      const killedAt = Date.now();
      for (let turn = first + 1; !received([id]); turn++) {
        ok(Date.now() - killedAt < TAKE_OVER_LIMIT_MS, "it is not taken over");
        await delay(2 * SECOND);
        const node = system.node("mail", turn % 3).process;
        if (node.state === "ready" && !received([id])) system.signal("SIGKILL", "mail", turn % 3);
      }
      console.log(`taken over after ${((Date.now() - killedAt) / SECOND).toFixed(1)} s`);
      await system.allReady();
    },
  );

  await t.step("a node that is told to stop hands its work back at once, also what it was sending", async () => {
    const [id] = await handOver(system, [HANGS]) as [string];
    const others = await handOver(system, Array(500).fill("someone@example.org"));
    const { process } = system.node("mail", await holder(id));
    const [held] = await sql`select node_id from emails where id = ${id}`;
    const { starts } = process;
    Deno.kill(process.pid!, "SIGTERM");
    const toldAt = Date.now();
    await until("it has stopped", () => process.starts > starts, 20 * SECOND);
    deepEqual([...await sql`select from mail_nodes where id = ${held!.node_id}`], []);
    deepEqual([...await sql`select from mail_slots where node_id = ${held!.node_id}`], []);
    const locked = await sql`
      select key from graphile_worker.jobs
      where locked_by is not null and locked_by not in (select unnest(pools) from mail_nodes)`;
    deepEqual([...locked], []);
    await until("what it was sending is sent", () => received([id]));
    console.log(`handed over ${((Date.now() - toldAt) / SECOND).toFixed(1)} s after SIGTERM`);
    await until("all is sent", () => received(others), 30 * SECOND);
    const times = Map.groupBy(sink.ids(), (one) => one);
    deepEqual(others.filter((other) => times.get(other)!.length > 1), []);
    await system.allReady();
  });

  await t.step("one who has 5,000 waiting doesn't hold up another's single one", async () => {
    const before = sink.received.length;
    await handOver(system, Array(5_000).fill("many@example.org"), crypto.randomUUID());
    const [one] = await handOver(system, ["one@example.org"], crypto.randomUUID()) as [string];
    const accepted = sink.received.length;
    await until("it has come", () => received([one]), 20 * SECOND);
    const place = sink.ids().indexOf(one);
    console.log(`${place - accepted} of the other's came before it, and ${accepted - before} before it was accepted`);
    // What the nodes have fetched by then: what they send, and twice as many that wait in them.
    ok(place - accepted <= 100, `${place - accepted} came before it`);
    ok(accepted - before < 4_000, "nobody was waiting any more");
  });
});
