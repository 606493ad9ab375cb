/**
 * `deno task test:crash [WORDS]`: one system, and at each crash point (kit/crash_points.ts) a real process gets SIGKILL and comes back by
 * the real supervisor; then PostgreSQL at each phase. After each: nothing half done, nothing in doubt 15 s after everything is back, and
 * what the sender was told is true. Prints the table of points and outcomes; with words only the cases that have them all.
 */

import { callFor } from "../../kit/call.ts";
import type { ClusterNode } from "../../cluster/cluster.ts";
import { newId } from "../../kit/ids.ts";
import { delay, HOUR, MILLISECOND, SECOND } from "../../kit/time.ts";
import { User } from "../helpers/client.ts";
import { insist, isUnknown, type KeyedSend, tell, type Told } from "../helpers/keyed_send.ts";
import { prepareByHand } from "../helpers/participants.ts";
import { SECRET, startSystem, type System, until } from "../helpers/system.ts";
import { whole } from "../helpers/whole.ts";
import { type Case, CASES } from "./cases.ts";

const REACH_LIMIT_MS = 20 * SECOND;
/** How long a process stays where it is while PostgreSQL is killed. */
const PHASE_MS = 200 * MILLISECOND;
const INSIST_LIMIT_MS = 40 * SECOND;

interface Ann {
  readonly user: User;
  readonly topicId: string;
  /** Bob's, to which she may not send. */
  readonly foreignTopicId: string;
}
interface Outcome {
  readonly at: string;
  readonly told: string;
  readonly settled: string;
}

const lines: { name: string; point: string }[] = [];
await using system = await startSystem({
  counts: { gateway: 2 },
  durable: true,
  env: { NOTIFYX_CRASH_POINTS: "1" },
  onLine: (name, line) => {
    const point = /^crash point (.+)$/.exec(line)?.[1];
    if (point !== undefined) lines.push({ name, point });
  },
});
const ann = await register(system);
const chosen = CASES.filter((one) => Deno.args.every((word) => nameOf(one).includes(word)));
const table: string[] = [];
let failed = 0;
for (const one of chosen) {
  const row = nameOf(one).padEnd(78);
  const starts = new Map(system.cluster.nodes.map((node) => [node, node.process.starts]));
  const victims = new Set<string>();
  try {
    const { at, told, settled } = await run(one, victims);
    const others = otherDeaths(starts, victims);
    if (others.length > 0) throw new Error("what the sender was told is true");
    table.push(`ok    ${row}| ${at.padEnd(38)}| ${told.padEnd(40)}| ${settled}`);
  } catch (error) {
    failed++;
    const others = otherDeaths(starts, victims).map((name) => `; ${name} died too`).join("");
    table.push(`FAIL  ${row}| ${error instanceof Error ? error.message : error}${others}`);
    await system.allReady().catch(() => {});
  }
  console.log(table.at(-1));
}
console.log(
  "\nwhat was killed, where               | there at that moment | what the sender was told | until all was the same\n",
);
for (const line of table) console.log(line);
console.log(`\n${chosen.length - failed} passed, ${failed} failed`);
await system[Symbol.asyncDispose]();
Deno.exit(failed > 0 || chosen.length === 0 ? 1 : 0);

async function register(system: System): Promise<Ann> {
  const [user, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await user.createTopic();
  await bob.join(topicId);
  return { user, topicId, foreignTopicId: await bob.createTopic() };
}

function nameOf({ point, place, deed, killed }: Case): string {
  return `${killed === "postgres" ? "PostgreSQL" : place}, ${point} (${
    killed === "postgres" ? `${place}, ` : ""
  }${deed})`;
}

/** What died although nobody killed it: `victims` were. */
function otherDeaths(starts: ReadonlyMap<ClusterNode, number>, victims: ReadonlySet<string>): string[] {
  return [...starts].filter(([{ process }, before]) => process.starts !== before && !victims.has(process.options.name))
    .map(([{ process }]) => process.options.name);
}

async function run(one: Case, victims: Set<string>): Promise<Outcome> {
  await system.allReady();
  const message = `${nameOf(one)} ${newId()}`;
  const send: KeyedSend = {
    token: ann.user.token,
    topicId: one.deed === "refusal" ? ann.foreignTopicId : ann.topicId,
    message,
    key: newId(),
  };
  lines.length = 0;
  await arm(one);
  const telling = one.deed === "send" || one.deed === "refusal" ? tell(system.url(), send) : leave(one, message);
  await until("the crash point is reached", () => lines.length > 0, REACH_LIMIT_MS);
  const at = one.killed === "postgres" ? "" : await situation(send.key);
  await kill(one, victims);
  await system.allReady();
  const backAt = performance.now();
  const told = await telling;

  // In the meantime the sender who knows nothing asks again; whoever knows doesn't.
  const again = told !== undefined && isUnknown(told) ? await insist(gateways(), send, INSIST_LIMIT_MS) : undefined;
  const { messages } = await whole(system, 15 * SECOND - Math.min(14 * SECOND, performance.now() - backAt));
  const settled = `${((performance.now() - backAt) / SECOND).toFixed(1)} s`;
  isTrue(one, again ?? told, messages.get(message) ?? []);
  await sentOnceInTheEnd(one, told, again, send);
  return { at, told: [told, again].flatMap((one) => one ? [textOf(one)] : []).join(", then "), settled };
}

function gateways(): string[] {
  return [system.url("gateway", 1), system.url("gateway", 0)];
}

/** A send goes to the first gateway; who is inquired, or takes something over, is not ours to choose. */
async function arm({ point, place, deed, killed }: Case): Promise<void> {
  const nodes = system.cluster.nodes.filter(({ kind }) => kind.kind === place);
  const armed = deed === "send" || deed === "refusal" ? nodes.slice(0, 1) : nodes;
  const body = { name: point, ...killed === "postgres" && { forMs: PHASE_MS } };
  await Promise.all(armed.map(({ url }) => armOne(url, body)));
}

async function disarm(): Promise<void> {
  const nodes = system.cluster.nodes.filter(({ kind }) => kind.kind !== "discovery");
  await Promise.all(nodes.map(({ url }) => armOne(url, { name: null })));
}

/** Tried twice: a connection that was kept open may just have been closed at the other end. */
async function armOne(url: string, body: unknown): Promise<void> {
  const arming = () => callFor(`${url}/api/crash_points`, { body, secret: SECRET, limitMs: SECOND });
  await arming().catch(arming);
}

/** Prepares on both participants and leaves it at that, or at its decision. */
async function leave({ deed }: Case, message: string): Promise<undefined> {
  const id = await prepareByHand(system, ann.user, ann.topicId, message, deed === "decided" ? HOUR : 200 * MILLISECOND);
  if (deed !== "decided") return;
  await system.database("gateway")`insert into decisions (transaction_id, state, participants, done, owner)
    values (${id}, 'committed', '{notifications,counter}', false, 'a gateway that is gone')`;
}

/** What is prepared, and what is decided, while the process stands at its point. */
async function situation(key: string): Promise<string> {
  const prepared = (await system.prepared()).map((gid) => gid.split(":")[1]);
  const [decided] = await system.database("gateway")<{ state: string }[]>`
    select state from decisions d join idempotency_keys k on k.transaction_id = d.transaction_id where k.key = ${key}`;
  return `${prepared.length > 0 ? `prepared: ${prepared.join(", ")}` : "none prepared"}; ${
    decided?.state ?? "undecided"
  }`;
}

/** Adds the names of the processes that are killed to `victims`. */
async function kill({ killed }: Case, victims: Set<string>): Promise<void> {
  if (killed === "postgres") {
    const { process } = system.postgres;
    const { starts } = process;
    system.killPostgres();
    await until("PostgreSQL is started again", () => process.starts > starts && process.state === "ready", 20 * SECOND);
    return await disarm();
  }
  const killNext = () => {
    const name = lines.map((line) => line.name).find((name) => !victims.has(name));
    if (name === undefined) return undefined;
    const { process } = system.cluster.nodes.find((node) => node.process.options.name === name)!;
    const { starts } = process;
    Deno.kill(process.pid!, "SIGKILL");
    victims.add(name);
    return until(`${name} is started again`, () => process.starts > starts, 5 * SECOND);
  };
  await killNext();
  // Another may have come to the same point, or come to it before it hears that it needn't.
  for (let disarmed = false; !disarmed; await killNext()) {
    await delay(50);
    disarmed = await disarm().then(() => lines.every(({ name }) => victims.has(name)), () => false);
  }
}

function isTrue({ deed }: Case, told: Told | undefined, there: readonly string[]): void {
  const wanted = deed === "decided" || told !== undefined && "id" in told ? 1 : 0;
  if (there.length !== wanted) throw new Error(`told ${told && textOf(told)}, and there are ${there.length}`);
  if (told === undefined) return;
  if ("id" in told && there[0] !== told.id) throw new Error(`told ${told.id}, and there is ${there[0]}`);
  const expected = deed === "refusal" ? ["FORBIDDEN"] : ["sent", "TRANSACTION_ABORTED"];
  if (!expected.includes(textOf(told))) throw new Error(`told ${textOf(told)}`);
}

/** Whoever asks once more gets the one that there is; an abort leaves the key free for another try. */
async function sentOnceInTheEnd({ deed }: Case, told: Told | undefined, again: Told | undefined, send: KeyedSend) {
  if (told === undefined || deed !== "send") return;
  const last = await insist(gateways(), send, INSIST_LIMIT_MS);
  const known = again ?? told;
  if (!("id" in last)) throw new Error(`asked once more and told ${last.code}`);
  if ("id" in known && last.id !== known.id) throw new Error(`told ${known.id} and then ${last.id}`);
  const there = (await whole(system)).messages.get(send.message) ?? [];
  if (there.length !== 1) throw new Error(`in the end there are ${there.length}`);
}

function textOf(told: Told): string {
  if ("id" in told) return "sent";
  return told.code === "none" ? "no answer" : told.code;
}
