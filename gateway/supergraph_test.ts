/** The graph over services that come and go, with the directory in this test's hands. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { buildSchema, graphqlSync } from "graphql";
import type { Directory, Instance } from "../kit/directory.ts";
import { delay } from "../kit/time.ts";
import type { SubgraphCalls } from "./subgraph_call.ts";
import { TypesCopy } from "./graph/types_copy.ts";
import { Supergraph } from "./supergraph.ts";

/** A service of these types; how often it was asked for them. */
function serve(sdl: string) {
  const served = { asked: 0, url: "", sdl, close: () => server.shutdown() };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { query } = await request.json();
    if (query === "{ _sdl }") served.asked++;
    return Response.json(
      graphqlSync({ schema: buildSchema(served.sdl), source: query, rootValue: { _sdl: served.sdl } }),
    );
  });
  served.url = `http://127.0.0.1:${server.addr.port}`;
  return served;
}

type Served = ReturnType<typeof serve>;

class Graphs implements AsyncDisposable {
  readonly live = new Map<string, Instance>();
  readonly graph: Supergraph;
  #wake = () => {};

  constructor(first: string[] = [], yieldAfterMs?: number, copy?: TypesCopy) {
    const directory = {
      all: () => [...this.live.values()],
      onChange: (wake: () => void) => (this.#wake = wake, () => {}),
    } as unknown as Directory;
    const own = buildSchema("type Query { own: Int }");
    const log = getLogger("test");
    const options = { directory, calls: { log } as SubgraphCalls, secret: "x", own, first, yieldAfterMs, copy, log };
    this.graph = new Supergraph(options);
    this.graph.start();
  }

  up(service: string, { url }: { url: string }, schemaHash?: string, id = service): void {
    const startedAt = new Date().toISOString();
    const lease = { startedAt, lastHeartbeatAt: startedAt };
    this.live.set(id, { id, service, url, participates: [], subgraph: true, schemaHash, ...lease });
    this.#wake();
  }

  gone(id: string): void {
    this.live.delete(id);
    this.#wake();
  }

  fields(): string[] {
    return Object.keys(this.graph.documents.schema.getQueryType()!.getFields()).sort();
  }

  async has(...fields: string[]): Promise<void> {
    await until(`${fields}`, () => this.fields().join() === fields.join());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.graph.stop();
  }
}

Deno.test("supergraph - a second instance with a known hash isn't asked for its types", async () => {
  const [one, second, other] = ["a", "a", "b"].map((field) => serve(`type Query { ${field}: Int  _sdl: String! }`)) as [
    Served,
    Served,
    Served,
  ];
  await using graphs = new Graphs();
  graphs.up("a", one, "hash");
  await graphs.has("a", "own");
  graphs.up("a", second, "hash", "a2");
  graphs.up("b", other);
  await graphs.has("a", "b", "own");
  assert.deepEqual([one.asked, second.asked], [1, 0]);
  graphs.gone("a");
  second.sdl = "type Query { a: Int  c: Int  _sdl: String! }";
  graphs.up("a", second, "other hash", "a2");
  await graphs.has("a", "b", "c", "own");
  assert.equal(second.asked, 1);
  await Promise.all([one.close(), second.close(), other.close()]);
});
Deno.test("supergraph - the system's own services come before one that was there earlier; who is away for long makes way", async () => {
  const [guest, auth, heir] = ["g: Int  me: Int", "me: Int", "g: Int"].map((fields) => {
    return serve(`type Query { ${fields}  _sdl: String! }`);
  }) as [Served, Served, Served];
  await using graphs = new Graphs(["auth"], 1_000);
  graphs.up("guest", guest);
  await graphs.has("g", "me", "own");
  graphs.up("auth", auth);
  await graphs.has("me", "own");
  assert.deepEqual(graphs.graph.refused.get("guest")?.reasons, ["the query me belongs to auth"]);
  guest.sdl = "type Query { g: Int  _sdl: String! }";
  graphs.up("guest", guest, "without me");
  await graphs.has("g", "me", "own");
  graphs.up("heir", heir);
  await until("it is refused", () => graphs.graph.refused.has("heir"));
  assert.equal(graphs.graph.subgraphs.has("guest"), true);
  // Away, it keeps its types; but not for ever against one that is there.
  graphs.gone("guest");
  await until("the heir is in the graph", () => graphs.graph.subgraphs.has("heir"));
  await graphs.has("g", "me", "own");
  await until("nobody is refused", () => graphs.graph.refused.size === 0);
  await Promise.all([guest.close(), auth.close(), heir.close()]);
});

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 5_000;
  while (!await holds()) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within 5 s`);
    await delay(10);
  }
}

Deno.test("supergraph - what a gateway knew is there at its next start, and services with the same types aren't asked again", async () => {
  const folder = await Deno.makeTempDir();
  const copy = () => new TypesCopy(`${folder}/types`, "secret", getLogger("test"));
  const [a, b] = ["a", "b"].map((field) => serve(`type Query { ${field}: Int  _sdl: String! }`)) as [Served, Served];
  try {
    {
      await using graphs = new Graphs([], undefined, copy());
      graphs.up("a", a, "hash");
      graphs.up("b", b);
      await graphs.has("a", "b", "own");
      await until("both are saved", async () => (await copy().read()).length === 2);
    }
    {
      await using graphs = new Graphs([], undefined, copy());
      await graphs.has("a", "b", "own");
      graphs.up("a", a, "hash", "another");
      b.sdl = "type Query { c: Int  _sdl: String! }";
      graphs.up("b", b);
      await graphs.has("a", "c", "own");
      assert.equal(a.asked, 1);
    }
    await using graphs = new Graphs([], undefined, copy());
    await graphs.has("a", "c", "own");
    await using others = new Graphs([], undefined, new TypesCopy(`${folder}/types`, "another", getLogger("test")));
    await delay(50);
    assert.deepEqual(others.fields(), ["own"]);
    const { now } = Date;
    Date.now = () => now() + 25 * 60 * 60 * 1_000;
    assert.deepEqual(await copy().read(), []);
    Date.now = now;
  } finally {
    await Promise.all([a.close(), b.close()]);
    await Deno.remove(folder, { recursive: true });
  }
});
