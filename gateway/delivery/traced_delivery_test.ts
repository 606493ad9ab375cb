/** When the spans of a delivery end: once its slowest group has been executed, and once all has been written. */

import { deepEqual } from "node:assert/strict";
import { delay } from "../../kit/time.ts";
import type { Span } from "../../kit/tracing/mod.ts";
import type { Execution } from "./execution.ts";
import { Group } from "./group.ts";
import type { Listener } from "./listener.ts";
import { TracedDelivery } from "./traced_delivery.ts";

/** A span that writes down what ends. */
class Recorded implements Span {
  readonly traceId = "";
  readonly traceparent = "";
  constructor(private readonly name: string, private readonly ended: string[]) {}
  child(name: string): Span {
    return new Recorded(name, this.ended);
  }
  set(): void {}
  end(): void {
    this.ended.push(this.name);
  }
}

const listeners = (count: number) =>
  Array.from({ length: count }, () => ({ stopped: false, sink: { next() {} } })) as unknown as Listener[];

Deno.test("traced delivery - it is executed when the slowest group is, and over when all is written", async () => {
  const ended: string[] = [];
  const slow = Promise.withResolvers<Uint8Array>();
  const executions: Execution[] = [() => new Uint8Array(), () => slow.promise];
  const given = new Map(executions.map((execution) => [new Group(execution, () => {}), listeners(2)] as const));
  const traced = new TracedDelivery(new Recorded("deliver", ended));
  for (const [group, those] of given) group.deliver({ cursor: "1" } as never, those);
  let written = () => {};
  const following = traced.follow(given, (then) => written = then);
  await delay(0);
  deepEqual(ended, []);
  slow.resolve(new Uint8Array());
  await following;
  deepEqual(ended, ["execute"]);
  written();
  deepEqual(ended, ["execute", "write", "deliver"]);
});

Deno.test("traced delivery - where nobody listens nothing was executed", async () => {
  const ended: string[] = [];
  await new TracedDelivery(new Recorded("deliver", ended)).follow(new Map(), () => {});
  deepEqual(ended, ["deliver"]);
});
