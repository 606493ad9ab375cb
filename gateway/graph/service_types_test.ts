/** Which of the types that a service's instances have are the graph's, and who has to be asked for them. */

import assert from "node:assert/strict";
import { buildSchema } from "graphql";
import type { Instance } from "../../kit/directory.ts";
import { ServiceTypes } from "./service_types.ts";
import { checked } from "./subgraph_types.ts";

function instance(id: string, schemaHash?: string): Instance {
  return {
    id,
    service: "s",
    url: id,
    participates: [],
    subgraph: true,
    schemaHash,
    startedAt: "",
    lastHeartbeatAt: "",
  };
}

function typesOf(sdl: string) {
  return checked("s", sdl, () => buildSchema(sdl));
}

const ONE = typesOf("type Query { a: Int }");
const MORE = typesOf("type Query { a: Int  b: Int }");
const OTHER = typesOf("type Query { c: Int }");

/** Of instances that have these types, in the order in which they were asked. */
function withTypes(...all: (typeof ONE)[]): ServiceTypes {
  const types = new ServiceTypes();
  const live = all.map((_, nth) => instance(`${nth}`));
  types.keep(live);
  for (const [nth, one] of all.entries()) types.learn(live[nth]!, one);
  return types;
}

Deno.test("service types - an instance whose hash is known isn't asked, one with another hash is, and so is one that changes its own", () => {
  const types = new ServiceTypes();
  const [one, same, other] = [instance("one", "x"), instance("same", "x"), instance("other", "y")];
  const all = [one, same, other];
  types.keep(all);
  assert.deepEqual(types.unasked(all), all);
  types.learn(one, ONE);
  assert.deepEqual(types.unasked(all), [other]);
  types.learn(other, MORE);
  assert.deepEqual(types.unasked(all), []);
  // What it was not asked for is known of it as well.
  types.keep([same]);
  assert.equal(types.forGraph()?.sdl, ONE.sdl);
  assert.deepEqual(types.unasked([instance("same", "z")]).map(({ id }) => id), ["same"]);
});

Deno.test("service types - one without a hash is asked again after a while, one that failed sooner", () => {
  const now = Date.now;
  try {
    let time = 1_000_000;
    Date.now = () => time;
    const types = new ServiceTypes();
    const [plain, failing] = [instance("plain"), instance("failing")];
    types.learn(plain, ONE);
    types.failed(failing);
    assert.deepEqual(types.unasked([plain, failing]), []);
    time += 600;
    assert.deepEqual(types.unasked([plain, failing]), [failing]);
    time += 10_000;
    assert.deepEqual(types.unasked([plain, failing]), [plain, failing]);
  } finally {
    Date.now = now;
  }
});

Deno.test("service types - during an upgrade the graph has what all instances can answer, and where that is nothing, the newest", () => {
  assert.equal(withTypes(ONE, MORE).forGraph(), ONE);
  assert.equal(withTypes(MORE, ONE).forGraph(), ONE);
  assert.equal(withTypes(ONE, OTHER).forGraph(), OTHER);
  assert.equal(withTypes(ONE, ONE).forGraph(), ONE);
  assert.equal(new ServiceTypes().forGraph(), undefined);
  const types = withTypes(ONE, MORE);
  types.keep([instance("1")]);
  assert.equal(types.forGraph(), MORE);
});

Deno.test("service types - a service that is away keeps its types, also when it comes back under another id", () => {
  const types = withTypes(ONE);
  types.keep([]);
  assert.equal(types.forGraph(), ONE);
  assert.equal(typeof types.awaySince, "number");
  const back = instance("back");
  types.keep([back]);
  assert.equal(types.awaySince, undefined);
  assert.equal(types.forGraph(), ONE);
  types.learn(back, typesOf(ONE.sdl));
  assert.equal(types.forGraph(), ONE);
  types.learn(back, MORE);
  types.keep([back]);
  assert.equal(types.forGraph(), MORE);
});
