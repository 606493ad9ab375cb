/** What may befall the model in one run, as fast-check makes and shrinks it: down to nothing happening at all. */

import fc from "fast-check";
import { SECOND } from "../../kit/time.ts";

export const SERVICES = ["notifications", "counter", "ledger"] as const;
export type ServiceName = typeof SERVICES[number];
/** Processes: two gateways on one decision log, and of the first service two instances on one store. */
export const NODES = ["gateway-0", "gateway-1", "notifications-0", "notifications-1", "counter-0", "ledger-0"] as const;
export type NodeName = typeof NODES[number];
export const DATABASES = ["gateway", ...SERVICES] as const;

/** Until then anything may go wrong, in milliseconds; then everything is back and stays. */
export const HEAL_AT = 30 * SECOND;
const LATEST_SEND = 25 * SECOND;

/** What becomes of one message or statement, taken in the order in which they are made; what comes behind the last one goes well. */
export interface Fate {
  /** Until it arrives, and until its answer does, in milliseconds. */
  readonly delays: readonly [number, number];
  readonly lost?: "request" | "answer";
  /** A message comes once more, so much later, in milliseconds. */
  readonly repeatedAfter?: number;
}

export interface Send {
  readonly at: number;
  readonly gateway: 0 | 1;
  /** Sends of the same key are the same. */
  readonly key?: number;
  readonly refusedBy?: ServiceName;
}

/**
 * A process is killed and started again, a process is frozen, a database refuses every statement, a service is missing in discovery;
 * in milliseconds.
 */
export interface Trouble {
  readonly kind: typeof KINDS[number];
  /** Which of the processes, databases or services. */
  readonly which: number;
  readonly at: number;
  readonly forMs: number;
}

const KINDS = ["crash", "freeze", "outage", "vanish"] as const;

export interface Scenario {
  readonly seed: number;
  readonly sends: readonly Send[];
  readonly troubles: readonly Trouble[];
  /** Of what belongs to a transaction. */
  readonly fates: readonly Fate[];
  /** Of the looks that go on in the background whatever happens. */
  readonly looks: readonly Fate[];
}

/** In one of `oneIn` cases, else undefined. */
function rarely<T>(arbitrary: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

/** Fates of which one in so many goes wrong in each way. Where all is rough nothing is ever decided, so most runs are calmer. */
function fates(oneIn: number, most: number): fc.Arbitrary<Fate[]> {
  const delay = fc.oneof(
    { weight: 2 * oneIn, arbitrary: fc.integer({ min: 0, max: 20 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * SECOND }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 * SECOND }) },
  );
  const fate = fc.record({
    delays: fc.tuple(delay, delay),
    lost: rarely(fc.constantFrom("request" as const, "answer" as const), oneIn),
    repeatedAfter: rarely(delay, oneIn),
  });
  return fc.array(fate, { maxLength: most, size: "max" });
}
const anyFates = (most: number) => fc.oneof(fates(60, most), fates(20, most), fates(6, most));

const send: fc.Arbitrary<Send> = fc.record({
  at: fc.integer({ min: 0, max: LATEST_SEND }),
  gateway: fc.constantFrom(0 as const, 1 as const),
  key: rarely(fc.integer({ min: 0, max: 1 }), 2),
  refusedBy: rarely(fc.constantFrom(...SERVICES), 6),
});

const trouble: fc.Arbitrary<Trouble> = fc.record({
  kind: fc.constantFrom("crash", ...KINDS),
  which: fc.integer({ min: 0, max: NODES.length - 1 }),
  at: fc.integer({ min: 0, max: HEAL_AT - SECOND }),
  forMs: fc.integer({ min: 1, max: 15 * SECOND }),
});

/** What goes wrong close to a send is what matters: the troubles of a run are often put just behind the first of its sends. */
export const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer(),
  sends: fc.array(send, { minLength: 1, maxLength: 5 }),
  troubles: fc.array(trouble, { maxLength: 6 }),
  fates: anyFates(120),
  looks: anyFates(40),
  near: fc.array(rarely(fc.integer({ min: 0, max: 200 }), 2), { maxLength: 6 }),
}).map(({ near, ...rest }) => ({
  ...rest,
  troubles: rest.troubles.map((one, at) =>
    near[at] === undefined ? one : { ...one, at: rest.sends[at % rest.sends.length]!.at + near[at]! }
  ),
}));
