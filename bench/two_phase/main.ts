/**
 * What the two-phase commit over services costs: sendNotification through the gateway beside floor.ts, which does the same SQL in one
 * program. Fresh processes for each round, order swapped from round to round, medians.
 */

import { startSystem, type System, until } from "../../tests/helpers/system.ts";
import { User } from "../../tests/helpers/client.ts";
import { type Figures, median, printTable } from "../lib/figures.ts";

const quick = Deno.args.includes("--quick");
const ROUNDS = quick ? 1 : 3;
const only = Deno.args.find((argument) => argument.startsWith("--senders="))?.slice(10).split(",").map(Number);
const SENDERS = only ?? (quick ? [1, 32] : [1, 8, 32, 128]);
const WARM_UP_SECONDS = quick ? 1 : 2;
const SECONDS = quick ? 3 : 5;

const found: { side: "floor" | "system"; senders: number; figures: Figures }[] = [];
const phases: number[][] = [];
for (let round = 0; round < ROUNDS; round++) {
  await using system = await startSystem({ durable: true, env: { NOTIFYX_LIMITS: "off" } });
  const ann = await User.register(system);
  const topicId = await ann.createTopic();
  for (const senders of SENDERS) {
    const floor = () =>
      whileFrozen(system, () => {
        return figures("floor.ts", [
          system.postgres.url,
          `${senders}`,
          `${WARM_UP_SECONDS}`,
          `${SECONDS}`,
          topicId,
          ann.id,
        ]);
      });
    const through = () =>
      figures("senders.ts", [system.graphqlUrl, ann.token, topicId, `${senders}`, `${WARM_UP_SECONDS}`, `${SECONDS}`]);
    const sides = round % 2 === 0 ? ["floor", "system"] as const : ["system", "floor"] as const;
    for (const side of sides) found.push({ side, senders, figures: await (side === "floor" ? floor : through)() });
  }
  phases.push(await phaseMeans(system));
}

const rows = SENDERS.map((senders) => {
  const of = (side: string, pick: (figures: Figures) => number) =>
    median(found.filter((one) => one.side === side && one.senders === senders).map((one) => pick(one.figures)));
  const [ours, theirs] = [of("system", (one) => one.perSecond), of("floor", (one) => one.perSecond)];
  const [p50, floorP50] = [of("system", (one) => one.p50Ms), of("floor", (one) => one.p50Ms)];
  return [
    senders,
    theirs.toFixed(0),
    ours.toFixed(0),
    floorP50.toFixed(1),
    p50.toFixed(1),
    of("system", (one) => one.p99Ms).toFixed(1),
    (ours / theirs).toFixed(2),
    (p50 / floorP50).toFixed(2),
  ];
});
console.log(
  `\n${ROUNDS} rounds of ${SECONDS} s, medians; floor and system in turn on the same PostgreSQL (flushing its log)\n`,
);
printTable(
  ["senders", "floor/s", "system/s", "floor p50 ms", "p50 ms", "p99 ms", "ratio of rates", "ratio of p50"],
  rows,
);
const names = ["wait", "prepare", "decide", "commit"];
console.log(
  `\nwhere the time goes, mean over all sends: ${
    names.map((name, at) => `${name} ${median(phases.map((one) => one[at]!)).toFixed(1)} ms`).join(", ")
  }`,
);

/** The floor has the machine to itself: the system would number and deliver what it sends. */
async function whileFrozen<T>(system: System, work: () => Promise<T>): Promise<T> {
  const all = (signal: Deno.Signal) => {
    for (const { process } of system.cluster.nodes) Deno.kill(process.pid!, signal);
  };
  all("SIGSTOP");
  try {
    return await work();
  } finally {
    all("SIGCONT");
    await until(
      "the system goes on",
      async () => (await system.database("notifications")`select from feed_pending limit 1`).length === 0,
      30_000,
    );
  }
}

async function figures(program: string, args: string[]): Promise<Figures> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-all", new URL(program, import.meta.url).pathname, ...args],
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`${program} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Milliseconds of each phase, from the gateway's own histogram. */
async function phaseMeans(system: System): Promise<number[]> {
  const text = await (await fetch(`${system.url()}/metrics`)).text();
  const value = (name: string) => Number(text.split("\n").find((line) => line.startsWith(name))?.split(" ").at(-1));
  return ["wait", "prepare", "decide", "commit"].map((phase) => {
    const name = "notifyx_transaction_phase_duration_seconds";
    return 1000 * value(`${name}_sum{phase="${phase}"}`) / value(`${name}_count{phase="${phase}"}`);
  });
}
