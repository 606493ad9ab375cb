/**
 * Mails through several nodes to a server on a bad day, while a node is killed every now and then. At the end each mail that was accepted
 * has arrived or has failed in the server's words, none is left over, and what came twice came under one Message-ID and no oftener than
 * what was cut explains.
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { delay, MINUTE, SECOND } from "../../kit/time.ts";
import { User } from "../helpers/client.ts";
import { SECRET, startSystem, type System, until } from "../helpers/system.ts";
import { Random } from "../soak/random.ts";
import { strikeDown } from "./members.ts";
import { addressOf, numberOf, RoughServer } from "./rough_server.ts";

export interface ChaosOptions {
  readonly mails: number;
  readonly nodes: number;
  /** Over how long they are handed over, in milliseconds. */
  readonly overMs: number;
  readonly killEveryMs: number;
}

interface Row {
  readonly id: string;
  readonly to: string;
  readonly status: string;
  readonly error: string | null;
  readonly ms: number;
}

const CONNECTIONS_PER_NODE = 5;
const ANSWER_LIMIT_MS = 5 * SECOND;
const SEND = `mutation ($to: String!, $subject: String!, $message: String!) {
  sendEmail(to: $to, subject: $subject, message: $message) { id }
}`;

export async function chaos(options: ChaosOptions): Promise<void> {
  const random = Random.seeded();
  console.log(`seed ${random.seed}: NOTIFYX_TEST_SEED=${random.seed} does the same`);
  await using server = await RoughServer.start(random.seed);
  await using system = await startSystem({
    counts: { mail: options.nodes },
    env: {
      NOTIFYX_SMTP_URL: server.sink.url,
      NOTIFYX_LIMITS: "off",
      NOTIFYX_MAIL_CONNECTIONS: `${options.nodes * CONNECTIONS_PER_NODE}`,
      NOTIFYX_MAIL_CONNECTIONS_PER_NODE: `${CONNECTIONS_PER_NODE}`,
      NOTIFYX_MAIL_SECONDS: "4",
      NOTIFYX_MAIL_RETRY_SECONDS: "1",
      NOTIFYX_MAIL_RETRY_MOST_SECONDS: "4",
    },
  });
  const ann = await User.register(system);
  const striking = new AbortController();
  const struck = strike(system, server, random, options.killEveryMs, striking.signal);
  let told: Told;
  try {
    told = await handOver(system, ann, random, options);
  } finally {
    striking.abort();
  }
  const killed = await struck;
  const quietAt = performance.now();
  const sql = system.database("mail");
  await until("all mails have ended", async () => {
    const [left] = await sql`select count(*) as count from emails where status in ('QUEUED', 'SENDING')`;
    return left!.count === 0;
  }, 2 * MINUTE);
  const endedAfterMs = performance.now() - quietAt;
  await until("no job is left", async () => {
    const [left] = await sql`select count(*) as count from graphile_worker.jobs where key is not null`;
    return left!.count === 0;
  });

  const rows = await sql<Row[]>`
    select id, to_address as "to", status, error, extract(epoch from ended_at - created_at)::float8 * 1000 as ms from emails`;
  const times = compare(server, told, rows);
  const again = [...times.values()].reduce((sum, count) => sum + count - 1, 0);
  // Each of them is an answer that was lost: cut off by the server, or with the node that waited for it.
  const explained = (server.counts["taken and cut"] ?? 0) + killed * CONNECTIONS_PER_NODE;
  ok(again <= explained, `${again} came again, of which only ${explained} can be explained`);
  const befell = Object.entries(server.counts).map(([what, count]) => `${count} ${what}`).join(", ");
  console.log(`${killed} nodes killed; the server: ${befell}`);
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  console.log(
    `${told.accepted.size} mails accepted, ${told.unknown.size} without an answer; ${count("SENT")} sent, ${
      count("FAILED")
    } refused for good, lost 0; ${again} came again, none more than ${Math.max(...times.values())} times;`,
    `all ended ${seconds(endedAfterMs)} s after the last kill, each within ${
      seconds(Math.max(...rows.map(({ ms }) => ms)))
    } s`,
  );
}

function seconds(ms: number): string {
  return (ms / SECOND).toFixed(1);
}

/** By their numbers; ids where they are known. */
interface Told {
  readonly accepted: Map<number, string>;
  readonly unknown: Set<number>;
}

/** Hands all over: nine of ten as another service does, which repeats until it has an answer, and the rest as a user, who doesn't. */
async function handOver(
  system: System,
  ann: User,
  random: Random,
  { mails, nodes, overMs }: ChaosOptions,
): Promise<Told> {
  const told: Told = { accepted: new Map(), unknown: new Set() };
  const began = Date.now();
  const pending: Promise<void>[] = [];
  for (let nth = 0; nth < mails;) {
    await delay(Math.max(0, began + nth * overMs / mails - Date.now()));
    if (random.next() < 0.1) pending.push(asUser(ann, nth++, told));
    else {
      const batch = Array.from({ length: Math.min(mails - nth, Math.ceil(random.between(0, 10))) }, () => nth++);
      pending.push(asService(system, nodes, batch, told));
    }
  }
  await Promise.all(pending);
  return told;
}

async function asService(system: System, nodes: number, batch: readonly number[], { accepted }: Told): Promise<void> {
  const ids = new Map(batch.map((nth) => [nth, crypto.randomUUID()]));
  const mails = batch.map((nth) => ({
    id: ids.get(nth),
    to: addressOf(nth),
    template: "plain",
    data: { subject: `number ${nth}`, message: "Soup is ready." },
  }));
  const giveUpAt = Date.now() + MINUTE;
  for (let turn = batch[0]!;; turn++) {
    try {
      const answer = await fetch(`${system.url("mail", turn % nodes)}/api/mails`, {
        method: "POST",
        headers: { authorization: `Bearer ${SECRET}` },
        body: JSON.stringify({ mails }),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      await answer.body?.cancel();
      if (answer.ok) break;
      ok(answer.status >= 500, `a node answers ${answer.status}`);
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
    }
    await delay(100);
  }
  for (const [nth, id] of ids) accepted.set(nth, id);
}

async function asUser(ann: User, nth: number, { accepted, unknown }: Told): Promise<void> {
  const { data, errors } = await ann.ask(SEND, {
    to: addressOf(nth),
    subject: `number ${nth}`,
    message: "Soup is ready.",
  });
  if (errors === undefined) return void accepted.set(nth, data.sendEmail.id);
  const code = errors[0]!.extensions.code;
  ok(["SERVICE_UNAVAILABLE", "TIMEOUT", "INTERNAL"].includes(code), `sendEmail is answered ${code}`);
  unknown.add(nth);
}

/** Kills a node every `everyMs`; now and then nobody can connect to the server for a while. Says how often it killed. */
async function strike(
  system: System,
  server: RoughServer,
  random: Random,
  everyMs: number,
  signal: AbortSignal,
): Promise<number> {
  const nodes = system.cluster.nodes.filter(({ kind }) => kind.kind === "mail");
  const shut: Promise<void>[] = [];
  let killed = 0;
  while (!signal.aborted) {
    await delay(everyMs, signal);
    if (signal.aborted) break;
    const running = nodes.filter(({ process }) => process.state === "ready");
    const node = running.length > 0 ? random.pick(running) : undefined;
    if (node !== undefined && strikeDown(node.process, "SIGKILL")) killed++;
    if (random.next() < 0.2) shut.push(server.sink.shut(random.between(200, 1_500)));
    await Promise.all(shut);
  }
  return killed;
}

/** Holds what arrived against what was accepted and what is said of it. How often each mail arrived that did. */
function compare(server: RoughServer, { accepted, unknown }: Told, rows: readonly Row[]): Map<string, number> {
  const times = new Map<string, number>();
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { to, messageId, source } of server.sink.received) {
    const row = byId.get(messageId.replace(/^<|@localhost>$/g, ""));
    ok(row !== undefined, `${messageId} is no mail's`);
    deepEqual(to, [row.to]);
    ok(source.includes(`\r\nSubject: number ${numberOf(row.to)}\r\n`), source);
    times.set(row.id, (times.get(row.id) ?? 0) + 1);
  }
  const byNumber = Map.groupBy(rows, ({ to }) => numberOf(to));
  for (const [nth, id] of accepted) deepEqual(byNumber.get(nth)?.map((row) => row.id), [id], `mail ${nth}`);
  for (const nth of unknown) ok((byNumber.get(nth)?.length ?? 0) <= 1, `mail ${nth} was accepted twice`);
  for (const { id, to, status, error } of rows) {
    const refusal = server.refusal(numberOf(to));
    if (refusal === undefined) equal(status, "SENT", `${to}: ${error}`);
    else deepEqual([status, error], ["FAILED", `${refusal.code} ${refusal.text}`], to);
    equal((times.get(id) ?? 0) > 0, refusal === undefined, `${to} arrived ${times.get(id) ?? 0} times`);
  }
  return times;
}
