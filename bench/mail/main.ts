/**
 * What the queue costs: mails from their hand-over to a local SMTP sink, through one node of the mail service, beside nodemailer's own pool
 * with as many connections and no queue. Fresh processes for each round, order swapped from round to round, medians.
 */

import { delay, MINUTE, SECOND } from "../../kit/time.ts";
import { SECRET, startSystem, type System, until } from "../../tests/helpers/system.ts";
import { median, printTable } from "../lib/figures.ts";
import { processorSeconds } from "../lib/processes.ts";
import { startServer } from "../lib/servers.ts";
import { DATA, TO } from "./message.ts";

const quick = Deno.args.includes("--quick");
const ROUNDS = quick ? 1 : 3;
const WARM_UP = 1_000;
const MAILS = quick ? 2_000 : 5_000;
const CONNECTIONS = 10;
/** Mails of one hand-over, and hand-overs at once. */
const BATCH = 100;
const CALLERS = 4;
const BAR = 0.3;

/** Of one mail. */
interface Costs {
  readonly statements: number;
  readonly transactions: number;
  readonly rows: number;
  readonly walBytes: number;
  readonly nodeMs: number;
}

interface Ports {
  readonly smtp: number;
  readonly http: number;
}

const found: { pool: number; queue: number; costs: Costs }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const sink = await startServer(new URL("sink.ts", import.meta.url), [], 1);
  const ports: Ports = JSON.parse(sink.line);
  try {
    const first = round % 2 === 0 ? await pool(ports) : undefined;
    const { perSecond, costs } = await queue(ports);
    found.push({ pool: first ?? await pool(ports), queue: perSecond, costs });
  } finally {
    await sink.stop();
  }
}
print();

/** Mails a second of nodemailer's pool. */
async function pool(ports: Ports): Promise<number> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-all",
      new URL("pool.ts", import.meta.url).pathname,
      ...[ports.smtp, CONNECTIONS, WARM_UP, MAILS].map(String),
    ],
    env: { NODE_ENV: "production" },
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error("pool.ts failed");
  return JSON.parse(new TextDecoder().decode(stdout)).perSecond;
}

/** Mails a second through a mail node, from the first hand-over to the last arrival, and what each cost. */
async function queue(ports: Ports): Promise<{ perSecond: number; costs: Costs }> {
  await using system = await startSystem({
    durable: true,
    counts: { mail: 1, gateway: 0, notifications: 0, counter: 0, avatar: 0 },
    postgres: { shared_preload_libraries: "pg_stat_statements" },
    env: {
      NOTIFYX_SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
      NOTIFYX_MAIL_CONNECTIONS: `${CONNECTIONS}`,
      NOTIFYX_MAIL_CONNECTIONS_PER_NODE: `${CONNECTIONS}`,
    },
  });
  await system.database("mail")`create extension pg_stat_statements`;
  await handOver(system, ports, WARM_UP);
  const before = await spent(system);
  const began = performance.timeOrigin + performance.now();
  const lastAt = await handOver(system, ports, MAILS);
  const after = await spent(system);
  const costs = Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, (value - before[name as keyof Costs]) / MAILS]),
  ) as unknown as Costs;
  return { perSecond: MAILS / ((lastAt - began) / SECOND), costs };
}

/** Hands over so many and waits until they have arrived and are known as sent; when the last one arrived, in milliseconds since 1970. */
async function handOver(system: System, ports: Ports, mails: number): Promise<number> {
  const state = async (): Promise<{ mails: number; lastAt: number }> =>
    await (await fetch(`http://127.0.0.1:${ports.http}`)).json();
  const before = (await state()).mails;
  let left = mails / BATCH;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    while (left-- > 0) {
      const answer = await fetch(`${system.url("mail")}/api/mails`, {
        method: "POST",
        headers: { authorization: `Bearer ${SECRET}` },
        body: JSON.stringify({
          mails: Array.from({ length: BATCH }, () => ({
            id: crypto.randomUUID(),
            to: TO,
            template: "plain",
            data: DATA,
          })),
        }),
      });
      if (!answer.ok) throw new Error(`a hand-over is answered ${answer.status}: ${await answer.text()}`);
      await answer.body?.cancel();
    }
  }));
  await until("all have arrived", async () => (await state()).mails - before === mails, 3 * MINUTE);
  const { lastAt } = await state();
  await until("all are sent", async () => {
    const [row] = await system.database("mail")`select count(*) as unsent from emails where status <> 'SENT'`;
    return row!.unsent === 0;
  });
  // PostgreSQL's own counts come a little later.
  await delay(1.5 * SECOND);
  return lastAt;
}

async function spent(system: System): Promise<Costs> {
  const [row] = await system.database("mail")<Omit<Costs, "nodeMs">[]>`
    select (select sum(calls) from pg_stat_statements where dbid = d.datid)::float8 as statements,
      xact_commit::float8 as transactions, (tup_inserted + tup_updated + tup_deleted)::float8 as rows,
      pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as "walBytes"
    from pg_stat_database d where datname = current_database()`;
  return { ...row!, nodeMs: processorSeconds(system.node("mail").process.pid!) * SECOND };
}

function print(): void {
  const [pools, queues] = [found.map(({ pool }) => pool), found.map(({ queue }) => queue)];
  const ratio = median(found.map(({ pool, queue }) => queue / pool));
  console.log(
    `\n${ROUNDS} rounds of ${MAILS} mails over ${CONNECTIONS} connections, medians; PostgreSQL flushes its log\n`,
  );
  printTable(["", "mails/s", "of the pool's"], [
    ["nodemailer's pool, no queue", median(pools).toFixed(0), "1.00"],
    ["through the queue", median(queues).toFixed(0), ratio.toFixed(2)],
  ]);
  const cost = (name: keyof Costs) => median(found.map(({ costs }) => costs[name]));
  console.log("\nwhat one mail costs, from its acceptance to SENT:\n");
  printTable(["", "for each mail"], [
    ["statements", cost("statements").toFixed(2)],
    ["transactions", cost("transactions").toFixed(2)],
    ["rows written", cost("rows").toFixed(1)],
    ["WAL, bytes", cost("walBytes").toFixed(0)],
    ["the node's processor, ms", cost("nodeMs").toFixed(2)],
  ]);
  if (ratio < BAR) {
    console.error(`\nthe queue's rate is ${ratio.toFixed(2)} of the pool's, under ${BAR}`);
    Deno.exit(1);
  }
}
