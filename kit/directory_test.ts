/** What a process knows of the others, from a discovery that is there, restarts, or is away. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { Directory, type DirectoryOptions, type Instance } from "./directory.ts";
import { DirectoryCopy } from "./directory_copy.ts";
import { delay, MINUTE } from "./time.ts";

/** A discovery that says what the test has it say. */
class Discovery implements AsyncDisposable {
  #watchers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #view: Instance[] = [];
  #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port = 0) {
    this.#server = Deno.serve(
      { port, hostname: "127.0.0.1", onListen: () => {} },
      ({ url }) => url.endsWith("/api/services") ? Response.json(this.#services()) : this.#watch(),
    );
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

  #services() {
    const byName = Map.groupBy(this.#view, (one) => one.service);
    return { services: [...byName].map(([name, instances]) => ({ name, instances })) };
  }

  #watch(): Response {
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => {
          own = controller;
          this.#watchers.add(controller);
          controller.enqueue(encode("view", this.#services()));
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

async function withDirectory(
  port: number,
  use: (directory: Directory) => Promise<void>,
  options: DirectoryOptions = {},
): Promise<void> {
  const directory = new Directory([`http://127.0.0.1:${port}`], getLogger("test"), options);
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

Deno.test("directory - when discovery last heard of an instance is asked for, and while it is away as the last view has it", async () => {
  const discovery = new Discovery();
  discovery.view = [instance("a", 1)];
  await withDirectory(discovery.port, async (directory) => {
    await holds(directory, ["a"]);
    const heard = "2026-01-01T00:00:09.000Z";
    discovery.view = [{ ...instance("a", 1), lastHeartbeatAt: heard }];
    const times = async () => (await directory.allAsHeard()).map((one) => one.lastHeartbeatAt);
    assert.deepEqual(await times(), [heard]);
    await discovery[Symbol.asyncDispose]();
    assert.deepEqual(await times(), ["2026-01-01T00:00:00.000Z"]);
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
      await holds(directory, ["a", "c", "d"]);
    });
  } finally {
    Date.now = now;
    globalThis.setInterval = setInterval;
  }
});

Deno.test("directory - of what discovery loses at once and still answers most is kept, for as long as both holds", async () => {
  await using discovery = new Discovery();
  discovery.view = ["a", "b", "c"].map((id, at) => instance(id, at + 1));
  const dead = new Set<string>();
  const { now } = Date;
  let laterMs = 0;
  Date.now = () => now() + laterMs;
  const asked: string[] = [];
  const isLive = ({ id }: Instance) => (asked.push(id), Promise.resolve(!dead.has(id)));
  /** Until all that vanished was asked once more. */
  const looked = async (id: string) => {
    asked.length = 0;
    for (const giveUpAt = now() + 5_000; !asked.includes(id);) {
      assert.ok(now() < giveUpAt, `${id} is not asked`);
      await delay(5);
    }
    await delay(5);
  };
  const lose = (id: string) => discovery.say("gone", { id, service: "counter", expired: true });
  try {
    await withDirectory(discovery.port, async (directory) => {
      await holds(directory, ["a", "b", "c"]);
      // One of three: discovery may know why.
      lose("a");
      await looked("a");
      assert.deepEqual(names(directory), ["a", "b", "c"]);
      laterMs += MINUTE;
      await holds(directory, ["b", "c"]);
      assert.deepEqual(asked.filter((id) => id !== "a"), []);

      // Both of two, a moment apart.
      lose("b");
      await looked("b");
      lose("c");
      laterMs += MINUTE;
      await looked("c");
      await looked("b");
      assert.deepEqual(names(directory), ["b", "c"]);
      // One of them dies, and that it was lost is true.
      dead.add("b");
      await holds(directory, ["c"]);
      // Discovery hears it again: it is an instance as any other.
      discovery.say("up", instance("c", 3));
      discovery.say("gone", { id: "c", service: "counter" });
      await holds(directory, []);
    }, { isLive });
  } finally {
    Date.now = now;
  }
});

Deno.test("directory - what left is gone at once, and what gives no sign of life as soon as discovery says so", async () => {
  await using discovery = new Discovery();
  discovery.view = [instance("a", 1), instance("b", 2)];
  const asked: string[] = [];
  const isLive = ({ id }: Instance) => (asked.push(id), Promise.resolve(false));
  await withDirectory(discovery.port, async (directory) => {
    await holds(directory, ["a", "b"]);
    discovery.say("gone", { id: "a", service: "counter" });
    await holds(directory, ["b"]);
    assert.deepEqual(asked, []);
    discovery.say("gone", { id: "b", service: "counter", expired: true });
    await holds(directory, []);
    assert.deepEqual(asked, ["b"]);
  }, { isLive });
});

Deno.test("directory - without discovery a process starts from its copy, with those that answer; then discovery's word holds", async () => {
  const folder = await Deno.makeTempDir();
  const copyIn = (secret = "secret") => new DirectoryCopy(`${folder}/copy`, secret, getLogger("test"));
  const isLive = ({ id }: Instance) => Promise.resolve(id !== "b");
  try {
    const first = new Discovery();
    const { port } = first;
    first.view = [instance("a", 1), { ...instance("b", 2), participates: ["sendNotification"] }];
    await withDirectory(port, async (directory) => {
      await holds(directory, ["a", "b"]);
      first.say("up", { ...instance("c", 3), participates: ["sendNotification"] });
      await holds(directory, ["a", "b", "c"]);
      const saved = async () => (await copyIn().read()).length === 3;
      for (const giveUpAt = Date.now() + 5_000; !await saved();) {
        assert.ok(Date.now() < giveUpAt, "it is not saved");
        await delay(20);
      }
      assert.equal((await Deno.stat(`${folder}/copy`)).mode! & 0o777, 0o600);
    }, { copy: copyIn() });
    await first[Symbol.asyncDispose]();

    const saved = await Deno.readTextFile(`${folder}/copy`);
    await withDirectory(port, async (directory) => {
      await holds(directory, ["a", "c"]);
      assert.equal(directory.known, false);
      assert.deepEqual(directory.all().flatMap(({ participates }) => participates), []);
      await using second = new Discovery(port);
      second.view = [instance("d", 4), instance("c", 3)];
      await holds(directory, ["a", "c", "d"]);
    }, { copy: copyIn(), isLive });
    // What was saved while discovery was there names no more than it did.
    await Deno.writeTextFile(`${folder}/copy`, saved);
    assert.equal((await copyIn().read()).length, 3);
    assert.deepEqual(await copyIn("another").read(), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("directory - a copy that is damaged, cut off, too large, from tomorrow or of the day before yesterday is none", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/copy`;
  const copy = new DirectoryCopy(file, "secret", getLogger("test"));
  const { now } = Date;
  try {
    assert.deepEqual(await copy.read(), []);
    copy.heard(() => [instance("a", 1)], true);
    for (let times = 0; times < 500 && (await copy.read()).length === 0; times++) await delay(10);
    const good = await Deno.readTextFile(file);
    assert.equal((await copy.read())[0]?.id, "a");
    for (let times = 0; times < 200; times++) {
      const at = Math.floor(Math.random() * good.length);
      const other = String.fromCharCode(32 + Math.floor(Math.random() * 94));
      const damaged = good.slice(0, at) + other + good.slice(at + 1);
      if (damaged === good) continue;
      await Deno.writeTextFile(file, damaged);
      assert.deepEqual(await copy.read(), [], damaged);
      await Deno.writeTextFile(file, good.slice(0, at));
      assert.deepEqual(await copy.read(), []);
    }
    for (const bad of ["", "\n", "null", "x".repeat(5_000_000), "\u0000\n\u0000"]) {
      await Deno.writeTextFile(file, bad);
      assert.deepEqual(await copy.read(), []);
    }
    await Deno.remove(file);
    await Deno.mkdir(file);
    assert.deepEqual(await copy.read(), []);
    // It can't be written then either, and that is no error for anybody.
    copy.heard(() => [], true);
    await copy.stop();
    await Deno.remove(file);
    await Deno.writeTextFile(file, good);
    for (const [laterMs, count] of [[23 * 60 * MINUTE, 1], [25 * 60 * MINUTE, 0], [-2 * MINUTE, 0]] as const) {
      Date.now = () => now() + laterMs;
      assert.equal((await copy.read()).length, count);
    }
  } finally {
    Date.now = now;
    await Deno.remove(folder, { recursive: true });
  }
});
