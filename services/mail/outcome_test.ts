import assert from "node:assert/strict";
import { HOUR, MINUTE, SECOND } from "../../kit/time.ts";
import type { ClaimedEmail } from "./emails.ts";
import { failedOutcome, waitMs } from "./outcome.ts";
import { SendingError } from "./transport.ts";

const RETRY = { firstMs: MINUTE, mostMs: 2 * HOUR, giveUpMs: 96 * HOUR };
const email = (part: Partial<ClaimedEmail> = {}) => ({ id: "1", attempts: 1, ageMs: 0, ...part }) as ClaimedEmail;

Deno.test("outcome - the wait's most doubles with each attempt up to its bound, and chance says how much of it", () => {
  const most = [1, 2, 3, 4, 8, 9, 50].map((attempt) => waitMs(attempt, RETRY, 1));
  assert.deepEqual(most, [1, 2, 4, 8, 120, 120, 120].map((minutes) => minutes * MINUTE));
  assert.equal(waitMs(3, RETRY, 0.5), 200 + (4 * MINUTE - 200) / 2);
  assert.equal(waitMs(50, RETRY, 0), 200);
  const drawn = Array.from({ length: 1_000 }, () => waitMs(1, { ...RETRY, firstMs: 10 * SECOND }));
  const quarters = Map.groupBy(drawn, (ms) => Math.floor(ms / (2.5 * SECOND)));
  assert.deepEqual([...quarters.keys()].sort(), [0, 1, 2, 3]);
  for (const [quarter, all] of quarters) assert(all.length > 150, `${quarter}: ${all.length}`);
});

Deno.test("outcome - what is transient is tried again until it is too old; what is permanent never", () => {
  const transient = failedOutcome(email({ attempts: 7 }), new SendingError("451 later\r\nplease", false), RETRY);
  assert.equal(transient.status, "QUEUED");
  assert.equal(transient.error, "451 later please");
  assert.equal(transient.attempt, 7);
  assert(transient.retryMs! >= 200 && transient.retryMs! <= 64 * MINUTE);
  const old = failedOutcome(email({ ageMs: 96 * HOUR }), new SendingError("451 later", false), RETRY);
  assert.deepEqual([old.status, old.error, old.retryMs], ["FAILED", "given up: 451 later", undefined]);
  const permanent = failedOutcome(email(), new SendingError("550 nobody", true), RETRY);
  assert.deepEqual([permanent.status, permanent.error, permanent.retryMs], ["FAILED", "550 nobody", undefined]);
});
