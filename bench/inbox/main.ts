/**
 * Whether an inbox costs the same however much was sent, and to how many: the first page, unseenCount, acknowledging and a send at 1,000
 * notifications and 10 subscribers, and at 1,000,000 and 100,000, in turn on one PostgreSQL; medians, and the ratio of the two. With
 * --explain it prints the plans of the main statements at the larger size instead.
 */

import { startPrivatePostgres } from "../../cluster/postgres/mod.ts";
import { connect, type Sql } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";
import { runMigrations } from "../../kit/migrations.ts";
import { Barrier } from "../../kit/participant/barrier.ts";
import { statement } from "../../kit/participant/mod.ts";
import { numberPending } from "../../services/notifications/feed_events.ts";
import { Inbox } from "../../services/notifications/inbox.ts";
import { migrations } from "../../services/notifications/migrations/mod.ts";
import { median, printTable } from "../lib/figures.ts";
import { explain } from "./explain.ts";
import { load, type Loaded, type ViewerName, VIEWERS } from "./load.ts";

const SIZES = [{ notifications: 1_000, subscribers: 10 }, { notifications: 1_000_000, subscribers: 100_000 }] as const;
const TURNS = Deno.args.includes("--quick") ? 100 : 300;
/** The bar for each ratio. */
const BAR = 1.5;

interface Side extends Loaded {
  readonly sql: Sql;
  readonly url: string;
  readonly inbox: Inbox;
  readonly barrier: Barrier;
}

const postgres = await startPrivatePostgres();
const sides: Side[] = [];
try {
  for (const { notifications, subscribers } of SIZES) sides.push(await side(notifications, subscribers));
  if (Deno.args.includes("--explain")) await explain(sides[1]!);
  else Deno.exitCode = await measure();
} finally {
  await Promise.all(sides.map(({ sql }) => sql.end({ timeout: 1 })));
  await postgres.stop();
}

async function side(notifications: number, subscribers: number): Promise<Side> {
  const began = performance.now();
  const name = `inbox_${notifications}`;
  const server = connect(postgres.url, "bench", 1);
  await server.unsafe(`create database ${name}`);
  await server.end();
  // One connection: nothing waits for another, and a plan that is kept is kept for all.
  const url = `${postgres.url}/${name}`;
  const sql = connect(url, "bench", 1);
  await runMigrations(sql, migrations);
  const loaded = await load(sql, notifications, subscribers);
  await sql`set statement_timeout = 0`;
  await sql`vacuum analyze`;
  console.log(`  ${notifications} notifications, ${subscribers} subscribers: ${seconds(began)} s to load`);
  return { ...loaded, sql, url, inbox: new Inbox(sql), barrier: new Barrier(sql, "notifications") };
}

/** What is measured, by what it is called in the table. */
function works(): Map<string, (side: Side) => Promise<unknown>> {
  const works = new Map<string, (side: Side) => Promise<unknown>>();
  for (const viewer of Object.keys(VIEWERS) as ViewerName[]) {
    const userId = VIEWERS[viewer];
    works.set(`unseenCount, ${viewer}`, ({ inbox }) => inbox.unseenCount(userId, null));
    for (const [status, seen] of [["", null], [" SENT", false], [" SEEN", true]] as const) {
      const filter = { topicId: null, fromUserId: null, seen };
      works.set(`first page${status}, ${viewer}`, ({ inbox }) => inbox.page(userId, filter, null, 50));
    }
  }
  works.set("first page of sentNotifications, with seenCount", async ({ inbox, creatorId }) => {
    const page = await inbox.sent(creatorId, null, null, 50);
    await inbox.seenCounts(page.map(({ id }) => id));
  });
  works.set("a send: prepare, commit and position", (side) => send(side, []));
  works.set("a targeted send", (side) => send(side, [VIEWERS["has seen nothing"]]));
  works.set("acknowledgeNotifications, of the newest", async ({ inbox }) => {
    const [newest] = await inbox.page(
      VIEWERS["has seen nothing"],
      { topicId: null, fromUserId: null, seen: false },
      null,
      1,
    );
    await inbox.acknowledge(VIEWERS["has seen nothing"], [newest!.id]);
  });
  works.set("acknowledgeAll", async (side) => {
    await send(side, []);
    await side.inbox.acknowledgeAll(VIEWERS["has acknowledged all"], null, null);
  });
  return works;
}

async function send({ sql, barrier, topicId, creatorId }: Side, to: string[]): Promise<void> {
  const id = newId();
  await barrier.prepare(id, [
    statement`select prepare_notification(${id}, ${topicId}, ${creatorId}, ${"hello"}, ${to}::uuid[])`,
  ]);
  await barrier.commit(id);
  await numberPending(sql, "epoch", false);
}

/** Prints the table; 1 where a ratio is over the bar. */
async function measure(): Promise<number> {
  const rows: string[][] = [];
  let worst = 0;
  for (const [name, work] of works()) {
    const times: [number[], number[]] = [[], []];
    for (let turn = -20; turn < TURNS; turn++) {
      for (const which of turn % 2 === 0 ? [0, 1] as const : [1, 0] as const) {
        const began = performance.now();
        await work(sides[which]!);
        if (turn >= 0) times[which].push(performance.now() - began);
      }
    }
    const [small, large] = times.map(median) as [number, number];
    worst = Math.max(worst, large / small);
    rows.push([name, small.toFixed(2), large.toFixed(2), (large / small).toFixed(2)]);
  }
  console.log(`\n  medians of ${TURNS} turns, in milliseconds, the driver's part included\n`);
  printTable(["", ...SIZES.map(({ notifications }) => `at ${notifications}`), "ratio"], rows);
  console.log(`\n  the largest ratio is ${worst.toFixed(2)}; at most ${BAR} is wanted`);
  return worst > BAR ? 1 : 0;
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}
