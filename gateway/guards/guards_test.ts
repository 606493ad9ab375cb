/** The guards by themselves: documents by their hash, trusted ones, what rates count, and how long an operation lasts. */

import assert from "node:assert/strict";
import { buildSchema } from "graphql";
import * as v from "valibot";
import { type CheckedDocument, DocumentCache } from "../../kit/graphql.ts";
import { SECOND } from "../../kit/time.ts";
import type { Caller } from "../caller.ts";
import { addressOf } from "./address.ts";
import { Guards } from "./guards.ts";
import { Lifetime } from "./lifetime.ts";
import { type DocumentParams, sha256 } from "./persisted_documents.ts";
import { GUARD_SETTINGS } from "./settings.ts";
import { parseTrustedDocuments, TrustedDocuments } from "./trusted_documents.ts";

const SCHEMA = buildSchema(`
  type Query { hello: String  users(first: Int = 50): [User!]!  status(of: Status): Int }
  type Mutation { login(email: String!, password: String!): Boolean  rename(name: String!): Boolean }
  type User { id: ID! }
  enum Status { ACTIVE INACTIVE }
`);
const HELLO = "{ hello }";
const LOGIN = 'mutation ($email: String!) { login(email: $email, password: "x") }';

class Bench {
  readonly guards: Guards;
  readonly documents: DocumentCache;

  constructor(settings: Record<string, string> = {}, trusted?: TrustedDocuments) {
    const config = v.parse(v.object(GUARD_SETTINGS), settings);
    this.guards = new Guards({ ...config, NOTIFYX_LIMITS: settings.NOTIFYX_LIMITS === "off" ? "off" : "on" }, trusted);
    this.documents = new DocumentCache(SCHEMA, undefined, this.guards.rules);
  }

  check(params: Partial<DocumentParams>, by: { userId?: string; address?: string } = {}): Promise<CheckedDocument> {
    const { userId = null, address = "10.0.0.1" } = by;
    const caller = { address, session: () => Promise.resolve({ userId }) } as Caller;
    return this.guards.check(this.documents, { query: "", ...params }, caller);
  }

  /** The code of what comes instead of a document, thrown or not; undefined where one comes. */
  async code(params: Partial<DocumentParams>, by: { userId?: string; address?: string } = {}): Promise<unknown> {
    const checked = await this.check(params, by).catch((error) => ({ errors: [error] }));
    return "errors" in checked ? checked.errors[0]!.extensions?.code ?? "BAD_USER_INPUT" : undefined;
  }
}

const byHash = (document: string, hash = sha256(document)) => ({ persistedQuery: { version: 1, sha256Hash: hash } });

Deno.test("persisted documents - asked for by hash, they are found once somebody gave them", async () => {
  const bench = new Bench();
  const extensions = byHash(HELLO);
  assert.equal(await bench.code({ extensions }), "PERSISTED_QUERY_NOT_FOUND");
  assert.equal(await bench.code({ query: HELLO, extensions }), undefined);
  assert.equal(await bench.code({ extensions }), undefined);
  // By another text nobody can take the place of a hash.
  assert.equal(await bench.code({ query: "{ hello hello }", extensions }), "BAD_USER_INPUT");
  const checked = await bench.check({ extensions });
  assert(!("errors" in checked) && checked.document.loc!.source.body === HELLO);
  for (
    const wrong of [
      "x",
      {},
      [],
      { version: 1 },
      { version: 2, sha256Hash: sha256(HELLO) },
      { version: 1, sha256Hash: sha256(HELLO).toUpperCase() },
      { version: 1, sha256Hash: "__proto__" },
      { version: 1, sha256Hash: [sha256(HELLO)] },
    ]
  ) assert.equal(await bench.code({ extensions: { persistedQuery: wrong } }), "BAD_USER_INPUT", JSON.stringify(wrong));
});

Deno.test("persisted documents - the one that nobody asked for for the longest time goes; 0 is none", async () => {
  const bench = new Bench({ NOTIFYX_PERSISTED_DOCUMENTS: "2" });
  for (const query of ["{ hello }", "{ a: hello }", "{ b: hello }"]) {
    await bench.check({ query, extensions: byHash(query) });
  }
  assert.equal(await bench.code({ extensions: byHash("{ hello }") }), "PERSISTED_QUERY_NOT_FOUND");
  assert.equal(await bench.code({ extensions: byHash("{ b: hello }") }), undefined);
  const none = new Bench({ NOTIFYX_PERSISTED_DOCUMENTS: "0" });
  assert.equal(await none.code({ query: HELLO, extensions: byHash(HELLO) }), undefined);
  assert.equal(await none.code({ extensions: byHash(HELLO) }), "PERSISTED_QUERY_NOT_SUPPORTED");
});

Deno.test("trusted documents - by hash or by text, and no others", async () => {
  const trusted = parseTrustedDocuments(JSON.stringify({ [sha256(HELLO)]: HELLO }));
  assert(trusted instanceof TrustedDocuments);
  const bench = new Bench({}, trusted);
  assert.equal(await bench.code({ extensions: byHash(HELLO) }), undefined);
  assert.equal(await bench.code({ query: HELLO }), undefined);
  assert.equal(await bench.code({ query: HELLO, extensions: byHash(HELLO) }), undefined);
  for (const query of ["{ hello  }", "{ __typename }", ""]) {
    assert.equal(await bench.code({ query }), "FORBIDDEN", query);
  }
  const other = "{ a: hello }";
  assert.equal(await bench.code({ query: other, extensions: byHash(other) }), "FORBIDDEN");
  assert.equal(await bench.code({ extensions: byHash(other) }), "FORBIDDEN");
});

Deno.test("trusted documents - a file that is none says what is wrong with it", () => {
  assert.equal(parseTrustedDocuments(undefined), "can't be read");
  assert.equal(parseTrustedDocuments("{"), "is not JSON");
  for (const text of ["[]", "null", '{"x": 1}']) assert.match(String(parseTrustedDocuments(text)), /not of the form/);
  assert.match(String(parseTrustedDocuments(JSON.stringify({ [sha256("x")]: HELLO }))), /not its SHA-256/);
});

/** Who is over their points by something is refused from the next on: in the next turn at the latest. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

Deno.test("rates - a user and an address have theirs, each for itself", async () => {
  const bench = new Bench({
    NOTIFYX_OPERATIONS_PER_MINUTE_OF_USER: "3",
    NOTIFYX_OPERATIONS_PER_MINUTE_OF_ADDRESS: "5",
  });
  for (let count = 0; count < 4; count++) {
    await nextTurn();
    assert.equal(await bench.code({ query: HELLO }, { userId: "ann" }), undefined);
  }
  await nextTurn();
  const error = await bench.check({ query: HELLO }, { userId: "ann" }).catch((error) => error);
  assert.equal(error.extensions.code, "RATE_LIMITED");
  assert(error.extensions.retryAfterSeconds >= 1 && error.extensions.retryAfterSeconds <= 60);
  assert.equal(await bench.code({ query: HELLO }, { userId: "bob" }), undefined);

  const { guards } = bench;
  for (let count = 0; count < 6; count++) {
    await nextTurn();
    guards.admit("10.0.0.1", 100);
  }
  await nextTurn();
  assert.throws(() => guards.admit("10.0.0.1", 100), /too many operations from this address/);
  guards.admit("10.0.0.2", 5 * 4096);
  // A body of any length is counted as the longest.
  guards.admit("10.0.0.3", undefined);
  await nextTurn();
  for (const address of ["10.0.0.2", "10.0.0.3"]) assert.throws(() => guards.admit(address, 0), /from this address/);
  guards.admit("10.0.0.4", 0);
});

Deno.test("rates - an operation counts by its root fields and its cost, a new document by its size", async () => {
  const settings = {
    NOTIFYX_OPERATIONS_PER_MINUTE_OF_USER: "10",
    NOTIFYX_OPERATIONS_PER_MINUTE_OF_ADDRESS: "1500",
    NOTIFYX_DOCUMENT_FIELDS: "1000",
  };
  /** Whether a user has points left behind this operation. */
  const leavesSome = async (params: Partial<DocumentParams>) => {
    const bench = new Bench(settings);
    assert.equal(await bench.code(params, { userId: "ann" }), undefined);
    await nextTurn();
    return await bench.code({ query: HELLO }, { userId: "ann" }) === undefined;
  };
  const aliased = (fields: number) =>
    `mutation { ${Array.from({ length: fields }, (_, nth) => `a${nth}: rename(name: "x")`).join(" ")} }`;
  assert.equal(await leavesSome({ query: aliased(10) }), true);
  assert.equal(await leavesSome({ query: aliased(11) }), false);
  const list = "query ($n: Int) { users(first: $n) { id } }";
  assert.equal(await leavesSome({ query: list, variables: { n: 5_000 } }), true);
  assert.equal(await leavesSome({ query: list, variables: { n: 5_001 } }), false);
  assert.equal(await new Bench(settings).code({ query: list, variables: { n: 50_001 } }), "BAD_USER_INPUT");

  const large = (nth: number) => `{ users(first: 1) { ${`n${nth}: id `}${"id ".repeat(700)} } }`;
  const bench = new Bench(settings);
  assert.equal(await bench.code({ query: large(0) }), undefined);
  for (let again = 0; again < 5; again++) {
    assert.equal(await bench.code({ query: large(0) }, { userId: "ann" }), undefined);
  }
  assert.equal(await bench.code({ query: large(1) }), undefined);
  await nextTurn();
  bench.guards.admit("10.0.0.1", 100);
  assert.equal(await bench.code({ query: large(2) }), undefined);
  await nextTurn();
  assert.equal(await bench.code({ query: large(3) }), "RATE_LIMITED");
  assert.throws(() => bench.guards.admit("10.0.0.1", 100), /from this address/);
});

Deno.test("rates - sign-ins count by account and by address, for each field, however they are spelled", async () => {
  const settings = { NOTIFYX_SIGN_INS_PER_MINUTE_OF_ACCOUNT: "3", NOTIFYX_SIGN_INS_PER_MINUTE_OF_ADDRESS: "8" };
  const spelled = ["ann@example.com", "ANN@example.com", " ann@Example.com "];
  const bench = new Bench(settings);
  for (const email of spelled) assert.equal(await bench.code({ query: LOGIN, variables: { email } }), undefined);
  assert.equal(await bench.code({ query: LOGIN, variables: { email: "ann@example.com" } }), "RATE_LIMITED");
  // Whom somebody guesses at can still sign in from elsewhere, until it is too much from everywhere.
  const elsewhere = (nth: number) =>
    bench.code({ query: LOGIN, variables: { email: "ann@example.com" } }, { address: `10.0.1.${nth}` });
  for (let nth = 0; nth < 12; nth++) assert.equal(await elsewhere(nth), undefined);
  assert.equal(await elsewhere(13), "RATE_LIMITED");
  // Others from there too, as long as there aren't too many of them.
  for (let nth = 0; nth < 4; nth++) {
    assert.equal(await bench.code({ query: LOGIN, variables: { email: `bob${nth}` } }), undefined);
  }
  assert.equal(await bench.code({ query: LOGIN, variables: { email: "carl" } }), "RATE_LIMITED");
  const aliases = Array.from({ length: 4 }, (_, nth) => `a${nth}: login(email: "ann", password: "${nth}")`);
  assert.equal(await new Bench(settings).code({ query: `mutation { ${aliases.join(" ")} }` }), "RATE_LIMITED");
  const strangers = Array.from({ length: 9 }, (_, nth) => `a${nth}: login(email: "${nth}", password: "x")`);
  assert.equal(await new Bench(settings).code({ query: `mutation { ${strangers.join(" ")} }` }), "RATE_LIMITED");
});

Deno.test("rates - an account is the same one by a variable's default, behind many blanks, and however its accents are written", async () => {
  const settings = { NOTIFYX_SIGN_INS_PER_MINUTE_OF_ACCOUNT: "1" };
  const byDefault = LOGIN.replace("String!", 'String! = "zo\u00eb@example.com"');
  for (
    const again of [
      { query: byDefault },
      { query: byDefault, variables: { email: undefined } },
      { query: LOGIN, variables: { email: `${" ".repeat(300)}zo\u00eb@example.com` } },
      { query: LOGIN, variables: { email: "zoe\u0308@example.com" } },
      { query: LOGIN, variables: { email: "ZOE\u0308@example.com" } },
    ]
  ) {
    const bench = new Bench(settings);
    assert.equal(await bench.code({ query: LOGIN, variables: { email: "zo\u00eb@example.com" } }), undefined);
    assert.equal(await bench.code(again), "RATE_LIMITED", JSON.stringify(again));
  }
});

Deno.test("rates - NOTIFYX_LIMITS=off counts nothing, and bounds what a document may be all the same", async () => {
  const bench = new Bench({ NOTIFYX_LIMITS: "off", NOTIFYX_OPERATIONS_PER_MINUTE_OF_USER: "1" });
  for (let count = 0; count < 50; count++) {
    bench.guards.admit("10.0.0.1", 100);
    assert.equal(await bench.code({ query: LOGIN, variables: { email: "ann" } }, { userId: "ann" }), undefined);
  }
  assert.equal(await bench.code({ query: "{ users(first: 1000000) { id } }" }), "BAD_USER_INPUT");
});

Deno.test("introspection - off, nothing tells of the schema, suggestions neither", async () => {
  const messages = async (bench: Bench, query: string) => {
    const checked = await bench.check({ query });
    return "errors" in checked ? checked.errors.map(({ message }) => message).join() : "none";
  };
  const off = new Bench({ NOTIFYX_INTROSPECTION: "off" });
  for (const query of ["{ __schema { types { name } } }", '{ __type(name: "User") { name } }']) {
    assert.equal(await messages(new Bench(), query), "none");
    assert.match(await messages(off, query), /introspection/i);
  }
  for (
    const query of [
      "{ helo }",
      "{ users(frist: 1) { id } }",
      "{ status(of: ACTIV) }",
      "{ hello { idd } users { idd } }",
    ]
  ) {
    assert.doesNotMatch(await messages(off, query), /Did you mean/);
  }
  assert.match(await messages(new Bench(), "{ helo }"), /Did you mean "hello"/);
  assert.equal(await messages(off, "{ __typename }"), "none");
});

Deno.test("lifetime - calls get what is left of it, and end when all who wait have gone", () => {
  let now = 0;
  const lifetime = new Lifetime(10 * SECOND, () => now);
  assert.equal(lifetime.limit(3 * SECOND), 3 * SECOND);
  now = 9 * SECOND;
  assert.equal(lifetime.limit(3 * SECOND), SECOND);
  const cancelled: string[] = [];
  lifetime.onCancel(() => cancelled.push("answered"))();
  lifetime.onCancel(() => cancelled.push("one"));
  lifetime.share();
  lifetime.leave();
  assert.equal(cancelled.length, 0);
  lifetime.leave();
  lifetime.leave();
  lifetime.onCancel(() => cancelled.push("late"));
  assert.deepEqual(cancelled, ["one", "late"]);
  now = 10 * SECOND;
  assert.throws(() => lifetime.limit(SECOND), /took too long/);
});

Deno.test("address - the peer's, of IPv6 the network; what is forwarded is believed of our own proxies alone", () => {
  const secret = "what the members of a cluster know";
  const from = (remoteAddress: string, forwarded?: string, proxies: string[] = [], member?: string) =>
    addressOf(
      { socket: { remoteAddress }, headers: { "x-forwarded-for": forwarded, "x-notifyx-member": member } } as never,
      { addresses: new Set(proxies), secret },
    );
  assert.equal(from("192.0.2.1"), "192.0.2.1");
  assert.equal(from("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(from("2001:db8:1:2:3:4:5:6"), from("2001:db8:1:2::9"));
  assert.notEqual(from("2001:db8:1:2::9"), from("2001:db8:1:3::9"));
  assert.equal(from("192.0.2.1", "203.0.113.9"), "192.0.2.1");
  assert.equal(from("192.0.2.1", "203.0.113.9", ["192.0.2.1"]), "203.0.113.9");
  // What a client writes there itself stands in front.
  assert.equal(from("192.0.2.1", "1.1.1.1, 203.0.113.9, 192.0.2.2", ["192.0.2.1", "192.0.2.2"]), "203.0.113.9");
  assert.equal(from("192.0.2.1", undefined, ["192.0.2.1"]), "192.0.2.1");
  assert.equal(from("192.0.2.1", "", ["192.0.2.1"]), "192.0.2.1");
  // And of members of the cluster.
  assert.equal(from("192.0.2.1", "1.1.1.1, 203.0.113.9", [], secret), "203.0.113.9");
  assert.equal(from("192.0.2.1", "203.0.113.9, 192.0.2.2", ["192.0.2.2"], secret), "203.0.113.9");
  assert.equal(from("192.0.2.1", "203.0.113.9", [], "a guess"), "192.0.2.1");
});
