/** Who decides what is traced. */

import assert from "node:assert/strict";
import { Sampler, type SamplerName } from "./sampler.ts";

const parent = (sampled: boolean) => () => ({ traceId: "1".repeat(32), spanId: "2".repeat(16), sampled });
const none = () => undefined;

/** Of callers without a trace, with one that is sampled, and with one that isn't. */
function takes(name: SamplerName, ratio: number, random: number): boolean[] {
  const sampler = new Sampler(name, ratio, () => random);
  return [none, parent(true), parent(false)].map((one) => sampler.takes(one));
}

Deno.test("sampler - the share decides, and a caller's flag only where it is believed", () => {
  assert.deepEqual(takes("traceidratio", 0.25, 0.2), [true, true, true]);
  assert.deepEqual(takes("traceidratio", 0.25, 0.25), [false, false, false]);
  assert.deepEqual(takes("parentbased_traceidratio", 0.25, 0.2), [true, true, false]);
  assert.deepEqual(takes("parentbased_traceidratio", 0.25, 0.9), [false, true, false]);
});

Deno.test("sampler - on and off, and the ends of the share", () => {
  assert.deepEqual(takes("always_on", 0, 0.999), [true, true, true]);
  assert.deepEqual(takes("always_off", 1, 0), [false, false, false]);
  assert.deepEqual(takes("parentbased_always_on", 0, 0.999), [true, true, false]);
  assert.deepEqual(takes("parentbased_always_off", 1, 0), [false, true, false]);
  assert.deepEqual(takes("traceidratio", 1, 0.999), [true, true, true]);
  assert.deepEqual(takes("traceidratio", 0, 0), [false, false, false]);
});

Deno.test("sampler - what a caller says is not even read where it doesn't matter", () => {
  let read = 0;
  const sampler = new Sampler("traceidratio", 0.5, () => 0.9);
  sampler.takes(() => (read++, undefined));
  assert.equal(read, 0);
});
