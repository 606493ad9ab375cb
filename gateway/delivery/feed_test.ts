/** The gateway's upstream over real HTTP: events once and in order over lost streams, and what ends listeners. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import type { Directory, Instance } from "../../kit/directory.ts";
import { delay } from "../../kit/time.ts";
import { Balancer } from "../balancer.ts";
import { UpstreamFeed } from "./feed.ts";

const event = (position: number) => ({ position, kind: "topic", topicId: "topic" });

/** What a gateway makes of streams with these lines, one stream after the other; in the end the feed stays silent. */
async function told(streams: unknown[][]): Promise<{ told: (number | string)[]; asked: (string | null)[] }> {
  const heard: (number | string)[] = [];
  const asked: (string | null)[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    asked.push(new URL(request.url).searchParams.get("after"));
    const lines = streams.shift();
    if (lines === undefined) return new Response("no more", { status: 503 });
    return new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });
  const instance = { id: "a", service: "notifications", url: `http://127.0.0.1:${server.addr.port}` } as Instance;
  const isLive = () => Promise.resolve(true);
  const balancer = new Balancer({ instances: () => [instance] } as unknown as Directory, { isLive });
  const feed = new UpstreamFeed(
    balancer,
    "secret",
    getLogger("test"),
    {
      onStart: () => {},
      onEvent: ({ position }) => heard.push(position),
      onSkip: (from, to) => heard.push(`${from} to ${to} removed`),
      onOtherEpoch: (position) => heard.push(`another at ${position}`),
    },
  );
  feed.start();
  while (streams.length > 0 || asked.at(-1) === undefined) await delay(10);
  await delay(20);
  await feed.stop();
  await server.shutdown();
  return { told: heard, asked };
}

Deno.test("upstream feed - a stream that repeats or jumps is made good by the next", async () => {
  const result = await told([
    [{ position: 5, epoch: "a" }, event(6), event(8)],
    [{ position: 6, epoch: "a" }, event(6), event(7), event(8)],
    [{ position: 8, epoch: "a" }],
  ]);
  assert.deepEqual(result.told, [6, 7, 8]);
  assert.deepEqual(result.asked.slice(0, 3), [null, "6", "8"]);
});

Deno.test("upstream feed - where events are removed it goes on behind them, and listeners have to begin anew", async () => {
  const result = await told([
    [{ position: 5, epoch: "a" }, event(6)],
    [{ position: 6, epoch: "a" }, { position: 9, skipped: true }, event(10), { position: 8, skipped: true }, event(11)],
  ]);
  assert.deepEqual(result.told, [6, "6 to 9 removed", 10, 11]);
});

Deno.test("upstream feed - another epoch begins at its own position, and listeners have to begin anew", async () => {
  const result = await told([
    [{ position: 5, epoch: "a" }, event(6)],
    [{ position: 2, epoch: "b" }, event(3)],
  ]);
  assert.deepEqual(result.told, [6, "another at 2", 3]);
});

Deno.test("upstream feed - it is silent from its start until a stream says something, and from that one's end", async () => {
  const streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () =>
    new Response(
      new ReadableStream<Uint8Array>({ start: (controller) => void streams.push(controller) }),
      { headers: { "content-type": "application/jsonl" } },
    ));
  const instance = { id: "a", service: "notifications", url: `http://127.0.0.1:${server.addr.port}` } as Instance;
  const isLive = () => Promise.resolve(true);
  const balancer = new Balancer({ instances: () => [instance] } as unknown as Directory, { isLive });
  const reader = { onStart: () => {}, onEvent: () => {}, onSkip: () => {}, onOtherEpoch: () => {} };
  const feed = new UpstreamFeed(balancer, "secret", getLogger("test"), reader);
  const line = new TextEncoder().encode(`${JSON.stringify({ position: 1, epoch: "a" })}\n`);
  feed.start();
  await until("the first stream", () => streams.length === 1);
  assert.ok(feed.silentMs > 0);
  streams[0]!.enqueue(line);
  await until("it is followed", () => feed.silentMs === 0);
  streams[0]!.close();
  await until("it is lost", () => feed.silentMs > 0);
  await until("the second stream", () => streams.length === 2);
  streams[1]!.enqueue(line);
  await until("it is followed again", () => feed.silentMs === 0);
  await feed.stop();
  await server.shutdown();
});

async function until(what: string, holds: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 5_000;
  for (; !holds(); await delay(5)) if (Date.now() > giveUpAt) throw new Error(`${what}: not within 5 s`);
}
