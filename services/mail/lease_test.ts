/** Leases over a real PostgreSQL: who is dead, and what became of what they had. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { runMigrations } from "graphile-worker";
import pg from "pg";
import type { Sql } from "../../kit/database.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { delay } from "../../kit/time.ts";
import { Emails } from "./emails.ts";
import { Lease } from "./lease.ts";
import { migrations } from "./migrations/mod.ts";
import { Slots } from "./slots.ts";
import type { Transport } from "./transport.ts";

const log = getLogger("test");

/** A node that sends nothing. */
function nodeOf(
  sql: Sql,
  options: { total?: number; perNode?: number; safeMs?: number; onLost?: () => void } = {},
) {
  const id = crypto.randomUUID();
  const shares: number[] = [];
  const open = new Set<Transport>();
  const slots: Slots = new Slots(
    () => {
      const transport = { close: () => Promise.resolve(void open.delete(transport)) } as Transport;
      open.add(transport);
      return transport;
    },
    0,
    (slot) => lease.released(slot),
  );
  const lease: Lease = new Lease({
    sql,
    id,
    url: "http://127.0.0.1:1",
    slots,
    total: options.total ?? 4,
    perNode: options.perNode ?? 4,
    safeMs: options.safeMs,
    load: () => ({ pools: [`pool-${id}`], running: 0, sent: 0, failed: 0 }),
    onShare: (share) => void shares.push(share),
    onLost: options.onLost ?? (() => {}),
    log,
  });
  return { id, lease, slots, shares, open };
}

async function living(sql: Sql): Promise<string[]> {
  return (await sql`select id from mail_nodes order by id`).map(({ id }) => id);
}

/** As if nothing had been heard of these nodes for so long. */
async function silence(sql: Sql, ids: readonly string[], seconds: number): Promise<void> {
  await sql`
    update mail_nodes set heartbeat_at = now() - make_interval(secs => ${seconds}), steady_since = now() - interval '1 hour'
    where id = any(${ids as string[]}::uuid[])`;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + 10_000; !await holds(); await delay(10)) {
    assert(Date.now() < giveUpAt, what);
  }
}

Deno.test("leases - a dead node's connections and jobs are for the others; one that finds itself dead ends", () =>
  withDatabase(migrations, async (sql, url) => {
    await migrateQueue(url);
    let lost = 0;
    const dead = nodeOf(sql, { onLost: () => lost++ });
    await dead.lease.start();
    assert.equal(dead.slots.size, 4);
    await new Emails(sql).accept([
      { id: crypto.randomUUID(), to: "a@example.org", template: "plain", data: { subject: "a", message: "b" } },
    ]);
    await sql`update graphile_worker._private_jobs set locked_by = ${`pool-${dead.id}`}, locked_at = now(), attempts = 1`;
    await silence(sql, [dead.id], 11);

    const other = nodeOf(sql);
    await sql`insert into mail_nodes (id, url, steady_since) values (gen_random_uuid(), 'fresh', now() - interval '1 hour')`;
    await other.lease.start();
    assert(!(await living(sql)).includes(dead.id));
    const [job] = await sql`select locked_by from graphile_worker.jobs`;
    assert.equal(job!.locked_by, null);
    other.lease.renew();
    await until("its connections", () => Promise.resolve(other.slots.size === 2));
    dead.lease.renew();
    await until("it ends", () => Promise.resolve(lost > 0));
    await Promise.all([dead.lease.stop(), other.lease.stop()]);
  }));

Deno.test("leases - a node that can't renew its own closes its connections before they are others', and opens them when it can", () =>
  withDatabase(migrations, async (sql) => {
    const node = nodeOf(sql, { safeMs: 500 });
    await node.lease.start();
    const all = [...node.open];
    assert.equal(all.length, 4);
    await sql.begin(async (transaction) => {
      await transaction`select from mail_nodes where id = ${node.id} for update`;
      node.lease.renew();
      await until("they are closed", () => Promise.resolve(node.open.size === 0));
      assert.equal((await transaction`select from mail_slots where node_id = ${node.id}`).length, 4);
    });
    node.lease.renew();
    await until("they are open", () => Promise.resolve(node.open.size === 4));
    assert(all.every((transport) => !node.open.has(transport)));
    await node.lease.stop();
  }));

Deno.test("leases - after the database was away nobody is taken for dead, until a lease has passed with it", () =>
  withDatabase(migrations, async (sql, url) => {
    await migrateQueue(url);
    const [one, two] = [nodeOf(sql), nodeOf(sql)];
    await one.lease.start();
    await two.lease.start();
    const both = await living(sql);
    await silence(sql, both, 20);
    const [{ before }] = await sql`select now() as before` as unknown as [{ before: Date }];
    one.lease.renew();
    await until(
      "it has renewed",
      async () => (await sql`select 1 from mail_nodes where id = ${one.id} and heartbeat_at >= ${before}`).length === 1,
    );
    // A new one knows of no time before, either.
    await silence(sql, both, 20);
    const three = nodeOf(sql);
    await three.lease.start();
    assert.deepEqual(await living(sql), [...both, three.id].sort());
    await Promise.all([one, two, three].map(({ lease }) => lease.stop()));
  }));

Deno.test("leases - connections are shared out equally, never more than there are, also while nodes come and go", () =>
  withDatabase(migrations, async (sql) => {
    const nodes = Array.from({ length: 3 }, () => nodeOf(sql, { total: 8, perNode: 5 }));
    const sizes = () => nodes.map(({ slots }) => slots.size).sort();
    const settled = (wanted: number[]) =>
      until(`${wanted}`, () => {
        assert(sizes().reduce((sum, size) => sum + size) <= 8, `${sizes()}`);
        for (const { lease } of nodes) lease.renew();
        return Promise.resolve(`${sizes()}` === `${wanted}`);
      });
    for (const { lease } of nodes) await lease.start();
    await settled([2, 3, 3]);
    const gone = nodes.pop()!;
    await gone.slots.close();
    await gone.lease.stop();
    await settled([4, 4]);
    const last = nodes.pop()!;
    await last.slots.close();
    await last.lease.stop();
    await settled([5]);
    await nodes[0]!.lease.stop();
  }));

async function migrateQueue(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const ignore = () => {};
  pool.on("error", ignore).on("connect", (client) => client.on("error", ignore));
  await runMigrations({ pgPool: pool });
  await pool.end();
}
