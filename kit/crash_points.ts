/**
 * Places at which a test has this process stop for good, so that it can be killed just there (`tests/crash/`). They do nothing unless
 * NOTIFYX_CRASH_POINTS is 1 and a test has armed one of them by `POST /api/crash_points`; armed is one at a time, and once.
 *
 * A process may not kill itself. So it says `crash point NAME` and blocks its only thread: nothing further runs in it, and the SIGKILL
 * that follows from outside finds it where it was.
 */

import * as v from "valibot";
import { allowMember, type App, readJson } from "./http.ts";
import { MINUTE } from "./time.ts";

/** Whoever sends or writes something is to be killed before, while it is under way, and after. */
export const CRASH_POINTS = [
  "gateway: before the key's row",
  "gateway: after the key's row",
  "gateway: before a prepare is sent",
  "gateway: after a prepare is sent",
  "gateway: after a vote",
  "gateway: before the decision",
  "gateway: while the decision is written",
  "gateway: after the decision",
  "gateway: before a commit is sent",
  "gateway: after a commit is sent",
  "gateway: after a commit is confirmed",
  "gateway: before the answer",
  "gateway: after the answer",
  "gateway: before the mark of done",
  "gateway: after the mark of done",
  "gateway: before the row of an abort",
  "gateway: before a rollback is sent",
  "gateway: after a rollback is sent",
  "gateway: after a rollback is confirmed",
  "gateway: before an inquiry decides",
  "gateway: before an inquiry is answered",
  "gateway: after a take-over",
  "participant: before PREPARE TRANSACTION",
  "participant: while PREPARE TRANSACTION runs",
  "participant: before the vote is answered",
  "participant: after the vote is answered",
  "participant: before COMMIT PREPARED",
  "participant: while COMMIT PREPARED runs",
  "participant: after COMMIT PREPARED",
  "participant: before a commit is answered",
  "participant: after a commit is answered",
  "participant: before ROLLBACK PREPARED",
  "participant: after ROLLBACK PREPARED",
  "participant: after the row of an abort",
  "participant: before an inquiry",
  "participant: after an inquiry",
] as const;
export type CrashPoint = typeof CRASH_POINTS[number];

const ARMING = v.object({
  /** Null disarms. */
  name: v.nullable(v.picklist(CRASH_POINTS)),
  /** Go on after so many milliseconds; for good if it isn't there. */
  forMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MINUTE))),
});

// Of the module: a point costs one comparison, and needs nothing handed down to it.
let armed: v.InferOutput<typeof ARMING> | undefined;

/** Stops here if this point is armed. */
export function crashPoint(name: CrashPoint): void {
  if (armed !== undefined) reach(name);
}

/** Stops `afterMs` milliseconds later: what was just handed to a socket has left by then. */
export function crashPointSoon(name: CrashPoint, afterMs = 0): void {
  if (armed !== undefined) setTimeout(() => reach(name), afterMs);
}

export function serveCrashPoints(app: App, secret: string): void {
  app.post("/api/crash_points", async (c) => {
    allowMember(c, secret);
    const arming = await readJson(c, ARMING);
    armed = arming.name === null ? undefined : arming;
    return c.json({ armed: arming.name });
  });
}

/** How long a process that is to be killed waits for that, in milliseconds. */
const UNKILLED_LIMIT_MS = MINUTE;

function reach(name: CrashPoint): void {
  if (armed?.name !== name) return;
  const { forMs } = armed;
  armed = undefined;
  // Not by the console, which writes when the thread is free again.
  Deno.stdout.writeSync(new TextEncoder().encode(`crash point ${name}\n`));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs ?? UNKILLED_LIMIT_MS);
  // Whoever armed it is gone: a process that blocks its own thread would outlive everybody, since it hears no signal and no end of its stdin.
  if (forMs === undefined) Deno.exit(1);
}
