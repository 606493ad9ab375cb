/** What a process knows of the others, from a discovery that is there, restarts, or is away. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { Directory, type Instance } from "./directory.ts";
import { MINUTE } from "./time.ts";

/** A discovery that says what the test has it say. */
class Discovery implements AsyncDisposable {
  #watchers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #view: Instance[] = [];
  #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port = 0) {
    this.#server = Deno.serve({ port, hostname: "127.0.0.1", onListen: () => {} }, () => this.#watch());
  }

  get port(): number {
    return this.#server.addr.port;
  }

  set view(instances: Instance[]) {
    this.#view = instances;
  }

  say(event: string, data: unknown): void {
    for (const watcher of this.#watchers) watcher.enqueue(encode(event, data));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers.clear();
    await this.#server.shutdown();
  }

  #watch(): Response {
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => {
          own = controller;
          this.#watchers.add(controller);
          const services = [...Map.groupBy(this.#view, (one) => one.service)].map(([name, instances]) => ({
            name,
            instances,
          }));
          controller.enqueue(encode("view", { services }));
        },
        cancel: () => void this.#watchers.delete(own),
      }),
    );
  }
}

function encode(event: string, data: unknown): Uint8Array {
  return new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function instance(id: string, port: number, startedAt = "2026-01-01T00:00:00.000Z"): Instance {
  const times = { startedAt, lastHeartbeatAt: startedAt };
  return { id, service: "counter", url: `http://127.0.0.1:${port}`, participates: [], subgraph: true, ...times };
}

const names = (directory: Directory) => directory.all().map((one) => one.id).sort();

/** Waits for changes until the directory holds `ids`. */
async function holds(directory: Directory, ids: string[]): Promise<void> {
  const giveUpAt = performance.now() + 5_000;
  while (names(directory).join() !== ids.join()) {
    assert.ok(performance.now() < giveUpAt, `it holds ${names(directory)}, not ${ids}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function withDirectory(port: number, use: (directory: Directory) => Promise<void>): Promise<void> {
  const directory = new Directory([`http://127.0.0.1:${port}`], getLogger("test"));
  directory.start();
  try {
    await use(directory);
  } finally {
    await directory.stop();
  }
}

Deno.test("directory - follows the view and its changes; a process that came back on a URL replaces the one before", async () => {
  await using discovery = new Discovery();
  discovery.view = [instance("a", 1), instance("b", 2)];
  await withDirectory(discovery.port, async (directory) => {
    assert.equal(directory.known, false);
    await holds(directory, ["a", "b"]);
    assert.equal(directory.known, true);
    discovery.say("up", instance("c", 3));
    await holds(directory, ["a", "b", "c"]);
    discovery.say("gone", { id: "a" });
    await holds(directory, ["b", "c"]);
    discovery.say("up", instance("b2", 2, "2026-01-01T00:00:01.000Z"));
    await holds(directory, ["b2", "c"]);
    // Of another service on the same URL, or an older one, nothing is replaced.
    discovery.say("up", { ...instance("d", 3), service: "auth" });
    await holds(directory, ["b2", "c", "d"]);
    assert.deepEqual(directory.instances("auth").map((one) => one.id), ["d"]);
  });
});

Deno.test("directory - keeps its last view without discovery, and what a new one doesn't name yet for a lease's time", async () => {
  const first = new Discovery();
  const { port } = first;
  first.view = [instance("a", 1), instance("b", 2)];
  const { now } = Date;
  const { setInterval } = globalThis;
  // Looks for what is missing for too long, as it does by itself each second.
  let sweep = () => {};
  globalThis.setInterval = ((look: () => void, ms: number) => setInterval(sweep = look, ms)) as typeof setInterval;
  try {
    await withDirectory(port, async (directory) => {
      await holds(directory, ["a", "b"]);
      await first[Symbol.asyncDispose]();
      Date.now = () => now() + MINUTE;
      assert.deepEqual(names(directory), ["a", "b"]);

      // It has just started and knows one; the others may say within their next heartbeats that they are there.
      await using second = new Discovery(port);
      second.view = [instance("c", 3)];
      await holds(directory, ["a", "b", "c"]);
      second.say("up", instance("a", 1));
      second.say("up", instance("d", 4));
      await holds(directory, ["a", "b", "c", "d"]);
      sweep();
      assert.deepEqual(names(directory), ["a", "b", "c", "d"]);
      Date.now = () => now() + 2 * MINUTE;
      sweep();
      assert.deepEqual(names(directory), ["a", "c", "d"]);
    });
  } finally {
    Date.now = now;
    globalThis.setInterval = setInterval;
  }
});
