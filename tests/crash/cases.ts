/** Which crash point is tried in which process, and what makes it come there. */

import { CRASH_POINTS, type CrashPoint } from "../../kit/crash_points.ts";

/**
 * What is done while a point is armed:
 *   send       a notification that is to be sent
 *   refusal    one to somebody else's topic: notifications votes no and counter yes, so that there is something to roll back
 *   undecided  both participants prepare, and nobody comes back: they inquire
 *   decided    the same with a decision to commit, of a gateway that is gone: another takes it over
 */
export type Deed = "send" | "refusal" | "undecided" | "decided";
export type Place = "gateway" | "notifications" | "counter";

export interface Case {
  readonly point: CrashPoint;
  readonly place: Place;
  readonly deed: Deed;
  readonly killed: "process" | "postgres";
}

/** Points at which PostgreSQL is killed instead; the process goes on after a moment, and finds it away. */
const PHASES: readonly [CrashPoint, Place][] = [
  ["gateway: after the key's row", "gateway"],
  ["participant: before PREPARE TRANSACTION", "counter"],
  ["participant: while PREPARE TRANSACTION runs", "notifications"],
  ["participant: before the vote is answered", "notifications"],
  ["gateway: before the decision", "gateway"],
  ["gateway: while the decision is written", "gateway"],
  ["gateway: after the decision", "gateway"],
  ["participant: before COMMIT PREPARED", "notifications"],
  ["participant: while COMMIT PREPARED runs", "counter"],
  ["participant: after COMMIT PREPARED", "notifications"],
  ["gateway: before the mark of done", "gateway"],
];
const ROLLBACK: readonly [CrashPoint, Place][] = [
  ["participant: before ROLLBACK PREPARED", "counter"],
  ["participant: after ROLLBACK PREPARED", "counter"],
];

export const CASES: readonly Case[] = [
  ...CRASH_POINTS.flatMap((point) =>
    places(point).map((place): Case => ({ point, place, deed: deedFor(point), killed: "process" }))
  ),
  ...[...PHASES, ...ROLLBACK].map(([point, place]): Case => ({
    point,
    place,
    deed: deedFor(point),
    killed: "postgres",
  })),
];

function places(point: CrashPoint): readonly Place[] {
  return point.startsWith("gateway") ? ["gateway"] : ["notifications", "counter"];
}

function deedFor(point: CrashPoint): Deed {
  if (/inquiry/.test(point)) return "undecided";
  if (/take-over/.test(point)) return "decided";
  return /abort|rollback/i.test(point) ? "refusal" : "send";
}
