/** Many subscribed sockets on one gateway: what each costs, and how long one notification takes to all of them. */

import { SECRET, startSystem } from "../../tests/helpers/system.ts";
import { User } from "../../tests/helpers/client.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { type Clients, startClients } from "../fanout/load.ts";
import { DOCUMENT, messageOf, TOPIC_NAME } from "../fanout/payload.ts";
import { onCore } from "../lib/cores.ts";
import { median, printTable } from "../lib/figures.ts";
import { followFeed, gatewayMemory, listening, now } from "../lib/gateway.ts";

const quick = Deno.args.includes("--quick");
const SOCKETS = quick ? 2_000 : 10_000;
const GROUPS = 1_000;
const SENDS = quick ? 3 : 10;
/** Longer than the time between two pings. */
const IDLE_SECONDS = quick ? 14 : 30;

await using system = await startSystem({ env: { NOTIFYX_LIMITS: "off" } });
const gateway = system.node("gateway").process.pid!;
await onCore(0, gateway);
for (const node of system.cluster.nodes) if (node.kind.kind !== "gateway") await onCore(1, node.process.pid!);
const ann = await User.register(system);
const users = await Promise.all(Array.from({ length: 20 }, () => User.register(system)));
const topicId = await ann.createTopic(TOPIC_NAME);
for (const user of users) await user.join(topicId);
const arrivals = await followFeed(system.url("notifications"), SECRET);

const emptyRss = await gatewayMemory(system.url());
const began = now();
const clients = await subscribed(SOCKETS, (nth) => [users[nth % users.length]!, DOCUMENT]);
await listening(system.url(), SOCKETS);
const signUpSeconds = (now() - began) / SECOND;
const kilobytes = (await gatewayMemory(system.url()) - emptyRss) / SOCKETS / 1024;

const [cpuBefore, idleFrom] = [cpuMs(gateway), now()];
await delay(IDLE_SECONDS * SECOND);
const idleShare = (cpuMs(gateway) - cpuBefore) / (now() - idleFrom);

const all = await timesOf(clients, SENDS);
await clients.stop();
await delay(2 * SECOND);

// The bad case: nobody shares a result with anybody.
const grouped = await subscribed(GROUPS, (nth) => [
  users[nth % users.length]!,
  DOCUMENT.replace("createdAt", `createdAt a${nth}: createdAt`),
]);
await listening(system.url(), GROUPS);
const inGroups = await timesOf(grouped, SENDS);
await grouped.stop();

console.log();
printTable(["what", "figure", "bar"], [
  [`memory of each of ${SOCKETS} subscribed sockets, KB`, kilobytes.toFixed(1), "15"],
  ["sign-up of all of them, s", signUpSeconds.toFixed(1), "20"],
  ["one notification to all, from its arrival at the hub to the last socket, ms", all.fromArrival.toFixed(0), "500"],
  ["the same from the mutation, ms", all.fromMutation.toFixed(0), ""],
  ["idle, with pings: share of a core, %", (idleShare * 100).toFixed(1), "5"],
  [`one to ${GROUPS} sockets with a document each, from arrival, ms`, inGroups.fromArrival.toFixed(0), ""],
  ["the same from the mutation, ms", inGroups.fromMutation.toFixed(0), ""],
]);

function subscribed(count: number, who: (nth: number) => [User, string]): Promise<Clients> {
  return startClients({
    url: system.graphqlUrl.replace("http", "ws"),
    protocol: "graphql-transport-ws",
    sockets: count,
    frames: "messages",
    ids: "own",
    says: Array.from({ length: Math.min(count, GROUPS) }, (_, nth) => {
      const [{ token }, query] = who(nth);
      return [
        JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }),
        null,
        JSON.stringify({ id: "$ID", type: "subscribe", payload: { query } }),
      ];
    }),
  });
}

async function timesOf(clients: Clients, sends: number): Promise<{ fromArrival: number; fromMutation: number }> {
  const fromArrival: number[] = [];
  const fromMutation: number[] = [];
  for (let nth = 0; nth < sends; nth++) {
    const askedAt = now();
    const sending = ann.send(topicId, messageOf(nth));
    const { lastAt, wrong } = await clients.report(1);
    await sending;
    if (wrong > 0) throw new Error(`${wrong} sockets did not get the notification once`);
    fromArrival.push(lastAt - arrivals.get(messageOf(nth))!);
    fromMutation.push(lastAt - askedAt);
  }
  return { fromArrival: median(fromArrival), fromMutation: median(fromMutation) };
}

/** Processor time that a process has used, in milliseconds (proc(5): utime and stime, in hundredths of a second). */
function cpuMs(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
