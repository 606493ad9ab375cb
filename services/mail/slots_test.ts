import assert from "node:assert/strict";
import { delay } from "../../kit/time.ts";
import { type Slot, Slots } from "./slots.ts";
import type { Transport } from "./transport.ts";

function slotsOf(count: number, pauseMs: number) {
  const closed: number[] = [];
  const transport = { close: () => Promise.resolve() } as Transport;
  const slots = new Slots(() => transport, pauseMs, (number) => closed.push(number));
  for (let number = 1; number <= count; number++) slots.add(number);
  return { slots, closed };
}

Deno.test("slots - each rests between the beginnings of two mails, and is nobody's meanwhile", async () => {
  const { slots } = slotsOf(2, 50);
  const begun = new Map<Slot, number[]>();
  for (let mail = 0; mail < 8; mail++) {
    const slot = (await slots.take())!;
    begun.set(slot, [...begun.get(slot) ?? [], performance.now()]);
    slots.give(slot);
    assert.equal(slots.busy, 0);
  }
  const waits = [...begun.values()].flatMap((times) => times.slice(1).map((time, nth) => time - times[nth]!));
  assert.equal(waits.length, 6);
  for (const wait of waits) assert(wait >= 49, `${wait} ms`);
  await slots.close();
});

Deno.test("slots - those that rest are given up at once, the others when they are free; who waits at the stop gets none", async () => {
  const { slots, closed } = slotsOf(3, 60_000);
  const [one, two] = [await slots.take(), await slots.take()];
  slots.give(two!);
  assert.deepEqual([slots.size, slots.busy], [3, 1]);
  slots.giveUp(3);
  await delay(0);
  assert.deepEqual([slots.size, closed.length], [1, 2]);
  const waiting = slots.take();
  slots.give(one!);
  await delay(0);
  assert.deepEqual([slots.size, closed.length], [0, 3]);
  slots.stop();
  assert.deepEqual([await waiting, await slots.take()], [undefined, undefined]);
});

Deno.test("slots - paused: every connection is closed and nobody gets one; then they are opened anew, when the old ones are closed", async () => {
  const closing = Promise.withResolvers<void>();
  let [opened, closed] = [0, 0];
  const open = () => {
    opened++;
    return { close: () => (closed++, closing.promise) } as Transport;
  };
  const slots = new Slots(open, 0, () => {});
  slots.add(1);
  slots.add(2);
  const used = (await slots.take())!;
  const before = used.transport;
  slots.pause();
  assert.deepEqual([opened, closed, used.transport], [2, 2, before]);
  let next: Slot | undefined;
  const taken = slots.take().then((slot) => next = slot);
  slots.give(used);
  const resumed = [slots.resume(), slots.resume()];
  await delay(10);
  assert.deepEqual([opened, next], [2, undefined]);
  closing.resolve();
  await Promise.all([...resumed, taken]);
  assert.deepEqual([opened, used.transport === before, slots.busy], [4, false, 1]);
});
