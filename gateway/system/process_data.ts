/** What a process says of itself at `GET /dashboard/data`. */

import * as v from "valibot";
import { call } from "../../kit/call.ts";
import type { ProcessData } from "../../kit/dashboard/dashboard.ts";
import { STEPS } from "../../kit/dashboard/history.ts";
import { SECOND } from "../../kit/time.ts";

/** How long it may take, in milliseconds: one that is frozen takes no longer from the page than this. */
const LIMIT_MS = SECOND;

const keys = v.pipe(v.array(v.pipe(v.string(), v.maxLength(50))), v.maxLength(100));
const DATA: v.GenericSchema<unknown, ProcessData> = v.object({
  id: v.pipe(v.string(), v.maxLength(200)),
  service: v.pipe(v.string(), v.maxLength(64)),
  ready: v.boolean(),
  problems: v.pipe(v.array(v.pipe(v.string(), v.maxLength(500))), v.maxLength(50)),
  wrong: keys,
  until: v.pipe(v.number(), v.integer()),
  series: v.record(v.string(), v.pipe(v.array(v.nullable(v.number())), v.maxLength(STEPS))),
});

/** `"silent"`: it doesn't answer. `"foreign"`: it answers, and has nothing of the kind to say. */
export type Answer = ProcessData | "silent" | "foreign";

/** @param after the step behind which it is asked for points */
export async function askProcess(url: string, secret: string, after: number): Promise<Answer> {
  try {
    const { status, body } = await call(`${url}/dashboard/data?after=${after}`, { secret, limitMs: LIMIT_MS });
    if (status >= 500) return "silent";
    const { success, output } = v.safeParse(DATA, body);
    return success ? output : "foreign";
  } catch {
    return "silent";
  }
}
