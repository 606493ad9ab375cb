/**
 * Requests that mean harm: each gets its status and code, none of them anything internal, and of many of each nothing is left in the
 * gateway's memory; others are answered meanwhile. NOTIFYX_TEST_HOSTILE=1000 sends a thousand of each (some minutes).
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { SECOND } from "../kit/time.ts";
import { assertNothingInternal } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { type Part, rawRequest } from "./helpers/raw_request.ts";
import { QueryLoad } from "./helpers/query_load.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { metric, startSystem, until } from "./helpers/system.ts";

const OF_EACH = Number(Deno.env.get("NOTIFYX_TEST_HOSTILE") ?? 10);
const AT_ONCE = 2;
const MIB = 1024 ** 2;
/**
 * Of a process, in MB. V8 collects garbage when its heap is full, which with the gigabytes that it takes of a large machine it never is:
 * within this bound what is left behind by all of them would be more than there is.
 */
const HEAP = "--max-old-space-size=250";
/** The heap, code, and what is in buffers: bodies and answers. */
const MOST_BYTES = 600 * MIB;

const NOT_TAKEN = [400, "BAD_USER_INPUT"] as const;
/** A document that is refused: GraphQL over HTTP has 200 for it where the answer is application/json. */
const REFUSED = [200, "BAD_USER_INPUT"] as const;

/** A status and a code; without a code where node:http itself refuses. */
type Outcome = readonly [status: number, code?: string];

interface Hostile {
  readonly expected: Outcome;
  /** `nth` makes each of them another one. */
  readonly send: (nth: number) => Promise<Outcome>;
}

const nested = (open: string, close: string, depth: number, within = "") =>
  open.repeat(depth) + within + close.repeat(depth);
const times = (count: number, make: (nth: number) => string) =>
  Array.from({ length: count }, (_, nth) => make(nth)).join(" ");

const DOCUMENTS: Record<string, (nth: number) => string> = {
  "deep selections": (nth) => `{ me { a${nth} ${nested("{ a ", "}", 1_900)} } }`,
  "deep and right": (nth) =>
    `{ a${nth}: topics { ${nested("edges { node { subscribers { ", "} } }", 5, "edges { cursor }")} } }`,
  "wide": (nth) => `{ me { a${nth}: id ${"id ".repeat(1_500)} } }`,
  "wide with objects, which are compared with each other": (nth) =>
    `{ ${times(240, () => "me { id }")} nothing${nth} }`,
  "aliases": (nth) => `{ ${times(60, (one) => `a${nth}_${one}: unseenCount`)} }`,
  "directives": (nth) => `{ me { a${nth}: id ${"id @include(if: true) ".repeat(100)} } }`,
  "directives on one field": (nth) => `{ a${nth}: __typename ${"@skip(if: false) ".repeat(200)} }`,
  "circular fragments": (nth) =>
    `{ me { ...A${nth} } } fragment A${nth} on User { ...B } fragment B on User { ...A${nth} }`,
  "a fragment of itself": (nth) => `{ me { ...A } } fragment A on User { a${nth}: id ...A }`,
  "fragments that double": (nth) =>
    `{ me { ...F0 } } ${
      times(50, (one) => `fragment F${one} on User { ...F${one + 1} ...F${one + 1} }`)
    } fragment F50 on User { a${nth}: id }`,
  "fragments that nobody uses": (nth) =>
    `{ a${nth}: __typename } ${times(200, (one) => `fragment F${one} on User { id email }`)}`,
  "deep lists": (nth) => `{ a${nth}: users(first: ${nested("[", "]", 1_900)}) { edges { cursor } } }`,
  "deep objects": (nth) => `{ a${nth}: users(first: ${nested("{a:", "}", 900, "1")}) { edges { cursor } } }`,
  "deep types": (nth) => `query Q${nth}($a: ${nested("[", "]", 1_900, "Int")}) { unseenCount }`,
  "deep inline fragments": (nth) => `{ me { ${nested("... { ", "}", 1_900, `a${nth}: id`)} } }`,
  "tokens": (nth) => `{ a${nth}: __typename ${"me { id } ".repeat(5_000)} }`,
  "characters": (nth) => `{ a${nth}: unseenCount #${"x".repeat(200_000)}\n }`,
  "errors": (nth) => `{ ${times(900, (one) => `nothing${nth}_${one}`)} }`,
  "variables": (nth) => `query Q${nth}(${times(400, (one) => `$v${one}: Nothing${nth}`)}) { unseenCount }`,
  "operations": (nth) => `${times(600, (one) => `query Q${nth}_${one} { __typename }`)}`,
  "an expensive list of lists": (nth) =>
    `{ a${nth}: topics(first: 1000) { edges { node { subscribers(first: 1000) { edges { node { id } } } } } } }`,
  "numbers": (nth) => `{ a${nth}: users(first: ${"9".repeat(1_000)}) { edges { cursor } } }`,
  "a list's length": (nth) => `{ a${nth}: notifications(first: 100000000) { edges { cursor } } }`,
  "deep introspection": (nth) => `{ a${nth}: __schema { types { ${nested("fields { type { ", "} }", 6, "name")} } } }`,
  "a long name": (nth) => `{ a${nth}${"x".repeat(50_000)} }`,
  "a long string": (nth) => `{ a${nth}: users(search: """${"x".repeat(90_000)}""", first: "") { edges { cursor } } }`,
  "names of JavaScript's own": (nth) => `{ a${nth}: __proto__ constructor toString hasOwnProperty { __proto__ } }`,
  "a NUL": (nth) => `{ a${nth}: me { id } \0 }`,
  "a half of a character": (nth) => `{ a${nth}: users(first: 0, search: "\ud800") { edges { cursor } } x }`,
  "SQL": (nth) => `{ a${nth}: topic(id: "'; drop table topics; --" name: "' or 1=1 --") { id } }`,
};

Deno.test("hostile requests - each gets what it deserves, and nothing is left of them", async (t) => {
  await using system = await startSystem({ env: { NOTIFYX_LIMITS: "off", DENO_V8_FLAGS: HEAP } });
  const url = system.graphqlUrl;
  const ann = await User.register(system);
  const { host } = new URL(url);
  const bearer = { authorization: `Bearer ${ann.token}` };
  const headers = { "content-type": "application/json", ...bearer };

  const judge = (status: number, text: string): Outcome => {
    if (text === "") return [status];
    assertNothingInternal(text);
    const { errors, code } = JSON.parse(text);
    return [status, errors === undefined ? code : errors[0].extensions.code];
  };
  const fetched = async (address: string, init: RequestInit = {}) => {
    const response = await fetch(address, { ...init, signal: AbortSignal.timeout(30 * SECOND) });
    return judge(response.status, await response.text());
  };
  const post = (body: BodyInit, more: HeadersInit = {}) =>
    fetched(url, { method: "POST", headers: { ...headers, ...more }, body });
  const ask = (query: string, variables?: unknown, more = {}) => post(JSON.stringify({ query, variables, ...more }));
  const raw = async (...parts: Part[]) => {
    const { status, body } = await rawRequest(url, parts);
    return judge(status, body);
  };
  const head = (method: string, path: string, ...lines: string[]) =>
    [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...lines, "", ""].join("\r\n");
  const JSON_HEAD = ["Content-Type: application/json", `Authorization: ${bearer.authorization}`];
  const overSocket = async (query: string): Promise<Outcome> => {
    using socket = await RawSocket.open(url, ann.token);
    await socket.send({ type: "subscribe", id: "1", payload: { query } });
    await socket.until(() => socket.messages.some(({ id }) => id === "1"));
    const { type, payload } = socket.messages.find(({ id }) => id === "1")!;
    assertNothingInternal(JSON.stringify(payload));
    return [0, (type === "error" ? payload : payload.errors)[0].extensions.code];
  };
  const USERS = "query ($ids: [ID!]!) { acknowledged: users(search: $ids) { edges { cursor } } }";
  const ID = "query ($id: ID!) { user(id: $id) { id } }";

  const hostile: Record<string, Hostile> = {};
  const add = (name: string, expected: Outcome, send: (nth: number) => Promise<Outcome>) =>
    hostile[name] = { expected, send };
  for (const [name, make] of Object.entries(DOCUMENTS)) {
    add(name, REFUSED, (nth) => ask(make(nth)));
    add(`${name}, over a socket`, [0, "BAD_USER_INPUT"], (nth) => overSocket(make(nth)));
  }
  // What is over a message's bound closes the socket: socket_fuzz_test.ts.
  delete hostile["characters, over a socket"];

  add("variables: a list of 100,000 ids", REFUSED, (nth) => ask(USERS, { ids: Array(100_000).fill(`${nth}`) }));
  add(
    "variables: a list of wrong values",
    REFUSED,
    () => ask("query ($to: [ID!]!) { sendNotification(to: $to) { id } }", { to: Array(50_000).fill({}) }),
  );
  add(
    "variables: a long string",
    REFUSED,
    (nth) =>
      ask("query ($first: Int) { users(first: $first) { edges { cursor } } }", {
        first: `${nth}${"9".repeat(900_000)}`,
      }),
  );
  add(
    "variables: deep",
    [200],
    (nth) => post(`{"query":"${ID}","variables":{"id":"${nth}","deep":${nested("[", "]", 400_000)}}}`),
  );
  add(
    "variables: many",
    [200],
    (nth) =>
      ask(ID, Object.fromEntries([["id", `${nth}`], ...Array.from({ length: 30_000 }, (_, one) => [`v${one}`, one])])),
  );
  add(
    "variables: __proto__ and constructor",
    [200],
    (nth) =>
      post(
        `{"query":"${ID}","variables":{"id":"${nth}","__proto__":{"id":"x","polluted":1},"constructor":{"prototype":{"polluted":1}}}}`,
      ),
  );
  add("variables: only __proto__", REFUSED, () => post(`{"query":"${ID}","variables":{"__proto__":{"id":"x"}}}`));
  add(
    "variables: the cost that they make",
    REFUSED,
    (nth) =>
      ask("query ($n: Int) { topics(first: $n) { edges { node { subscribers(first: $n) { edges { cursor } } } } } }", {
        n: 500 + nth,
      }),
  );
  add("variables: a list", NOT_TAKEN, () => ask(ID, ["x"]));
  add("variables: SQL", [200], (nth) => ask(ID, { id: `${nth}'; select pg_sleep(10); --` }));

  add("body: empty", NOT_TAKEN, () => post(""));
  add("body: no JSON", NOT_TAKEN, () => post("{".repeat(1_000)));
  add(
    "body: an array, of which one would go around limits",
    NOT_TAKEN,
    () => post(JSON.stringify(Array(1_000).fill({ query: "{ __typename }" }))),
  );
  add("body: deep JSON", NOT_TAKEN, () => post(nested("[", "]", 500_000)));
  add(
    "body: duplicate keys, of which the last counts",
    REFUSED,
    (nth) => post(`{"query":"{ __typename }","query":"{ a${nth} }"}`),
  );
  add("body: __proto__ for a query", NOT_TAKEN, () => post('{"__proto__":{"query":"{ __typename }"}}'));
  add("body: not UTF-8", NOT_TAKEN, () => post(Buffer.from('{"query":"{ __typename }","x":"\xff\xfe"}', "latin1")));
  add(
    "body: over its bound",
    [413, "BAD_USER_INPUT"],
    () => post(`{"query":"{ __typename }","x":"${"x".repeat(2 * MIB)}"}`),
  );
  add(
    "body: over its bound, in chunks",
    [413, "BAD_USER_INPUT"],
    () => post(new Blob([`{"query":"{ __typename }","x":"${"x".repeat(2 * MIB)}"}`]).stream()),
  );
  add("body: compressed", NOT_TAKEN, async () => {
    const bomb = new Blob([" ".repeat(10 * MIB)]).stream().pipeThrough(new CompressionStream("gzip"));
    return await post(await new Response(bomb).arrayBuffer(), { "content-encoding": "gzip" });
  });
  for (
    const type of [
      "text/plain",
      "multipart/form-data; boundary=x",
      "application/x-www-form-urlencoded",
      "x".repeat(5_000),
    ]
  ) {
    add(
      `type: ${type.slice(0, 40)}`,
      [415, "BAD_USER_INPUT"],
      () => post('{"query":"{ __typename }"}', { "content-type": type }),
    );
  }
  add(
    "type: two charsets",
    NOT_TAKEN,
    () =>
      post(Buffer.from('{"query":"\xe9"}', "latin1"), {
        "content-type": "application/json; charset=utf-8; charset=latin1",
      }),
  );
  add(
    "accept: none of ours",
    [406, "BAD_USER_INPUT"],
    () => post('{"query":"{ __typename }"}', { accept: "image/png" }),
  );
  add(
    "accept: long",
    [406, "BAD_USER_INPUT"],
    () => post('{"query":"{ __typename }"}', { accept: "a/b;q=0.1,".repeat(900) }),
  );

  const get = (params: Record<string, string>, more: HeadersInit = {}) =>
    fetched(`${url}?${new URLSearchParams(params)}`, { headers: { ...bearer, ...more } });
  add("GET: a mutation", [405, "BAD_USER_INPUT"], () => get({ query: "mutation { logout }" }));
  add(
    "GET: a mutation, as an event stream",
    [405, "BAD_USER_INPUT"],
    () => get({ query: "mutation { logout }" }, { accept: "text/event-stream" }),
  );
  add("GET: variables that are none", NOT_TAKEN, () => get({ query: ID, variables: "{" }));
  add("GET: no query", NOT_TAKEN, () => get({ extensions: "{}" }));
  add("GET: a URL of 100,000 characters", [431], () => raw(head("GET", `/graphql?query=${"x".repeat(100_000)}`)));
  add(
    "GET: escapes that are none",
    NOT_TAKEN,
    () => raw(head("GET", "/graphql?variables=%7B%ZZ", "Connection: close")),
  );
  add(
    "another origin",
    [403, "FORBIDDEN"],
    () => post('{"query":"{ __typename }"}', { origin: "https://evil.example" }),
  );

  const persisted = (hash: unknown, query?: string) =>
    post(JSON.stringify({ query, extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }));
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  add("persisted: unknown", [200, "PERSISTED_QUERY_NOT_FOUND"], (nth) => persisted(sha256(`${nth}`)));
  add(
    "persisted: under another's hash",
    REFUSED,
    (nth) => persisted(sha256("{ me { id } }"), `{ a${nth}: __typename }`),
  );
  add("persisted: no hash", REFUSED, () => persisted(["__proto__"]));
  add("persisted: many, each kept for once", [200], (nth) => {
    const query = `{ a${nth}: __typename #${"x".repeat(5_000)}\n }`;
    return persisted(sha256(query), query);
  });

  add(
    "session: none of ours",
    [401, "UNAUTHENTICATED"],
    (nth) => post('{"query":"{ me { id } }"}', { authorization: `Bearer x${nth}` }),
  );
  add(
    "session: another scheme",
    [401, "UNAUTHENTICATED"],
    () => post('{"query":"{ me { id } }"}', { authorization: "Basic eDp5" }),
  );
  add("session: long", [401, "UNAUTHENTICATED"], () => post("{}", { authorization: `Bearer ${"x".repeat(8_000)}` }));

  add(
    "head: 5,000 headers",
    [431],
    () => raw(head("POST", "/graphql", ...Array.from({ length: 5_000 }, (_, one) => `X-${one}: x`))),
  );
  add("head: one of 10 MiB", [431], () => raw(head("POST", "/graphql", `X: ${"x".repeat(10 * MIB)}`)));
  add(
    "head: two lengths",
    [400],
    () => raw(head("POST", "/graphql", ...JSON_HEAD, "Content-Length: 2", "Content-Length: 3"), "{}}"),
  );
  add(
    "head: a length and chunks",
    [400],
    () =>
      raw(
        head("POST", "/graphql", ...JSON_HEAD, "Content-Length: 2", "Transfer-Encoding: chunked"),
        "0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
      ),
  );
  add(
    "head: a length that is none",
    [400],
    () => raw(head("POST", "/graphql", ...JSON_HEAD, "Content-Length: -1"), "{}"),
  );
  add("head: no HTTP", [400], () => raw("\x16\x03\x01\0\0\0\0\0\r\n\r\n"));
  add("head: a name with a space", [400], () => raw(head("GET", "/graphql", "X Y: x")));
  add("head: a NUL in a value", [400], () => raw(head("GET", "/graphql", "X: a\0b")));
  add(
    "a body that breaks off",
    [0],
    () => raw(head("POST", "/graphql", ...JSON_HEAD, "Content-Length: 1000"), '{"query"', 5, { cut: true }),
  );

  for (const [name, { expected, send }] of Object.entries(hostile)) {
    await t.step(name, async () => {
      for (let nth = 0; nth < 2; nth++) assert.deepEqual(trimmed(await send(nth)), trimmed(expected));
    });
  }
  assert(Object.keys(hostile).length >= 80);
  assert.equal((Object.prototype as unknown as { polluted?: number }).polluted, undefined);

  await t.step("heads and bodies that are slow, or don't come, are 408, all at once", async () => {
    const slow = (piece: string) => Array(36).fill([piece, 500]).flat() as Part[];
    const begun = `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nX: `;
    const kinds: readonly (() => Promise<Outcome>)[] = [
      () => raw(head("POST", "/graphql", ...JSON_HEAD, "Content-Length: 1000"), '{"query":"', ...slow("x")),
      () => raw(head("POST", "/graphql", ...JSON_HEAD, "Transfer-Encoding: chunked"), ...slow("1\r\nx\r\n")),
      () => raw(head("POST", "/graphql", ...JSON_HEAD, "Content-Length: 1000"), 18_000),
      () => raw(begun, ...slow("x")),
      () => raw("", 18_000),
    ];
    const ofEach = Math.min(OF_EACH, 200);
    const all = await Promise.all(kinds.map((send) => Promise.all(Array.from({ length: ofEach }, send))));
    assert.deepEqual(all.map((outcomes) => [...new Set(outcomes.map((one) => JSON.stringify(trimmed(one))))]), [
      ['[408,"TIMEOUT"]'],
      ['[408,"TIMEOUT"]'],
      ["[408]"],
      ["[408]"],
      ["[408]"],
    ]);
  });

  await t.step(`memory is flat after ${OF_EACH} of each`, async () => {
    const { process } = system.node("gateway");
    const { starts } = process;
    const before = residentBytes(process.pid!);
    let most = before;
    await using others = new QueryLoad({
      urls: () => [url],
      token: (await User.register(system)).token,
      queries: ["{ me { email sentCount } unseenCount }"],
      perSecond: 10,
    });
    for (const [name, { expected, send }] of Object.entries(hostile)) {
      for (let nth = 2; nth < 2 + OF_EACH; nth += AT_ONCE) {
        const batch = Array.from({ length: AT_ONCE }, (_, one) => send(nth + one));
        for (const outcome of await Promise.all(batch)) assert.deepEqual(trimmed(outcome), trimmed(expected), name);
      }
      const resident = residentBytes(process.pid!);
      assert(resident < MOST_BYTES, `${resident / MIB} MiB are resident after: ${name}`);
      most = Math.max(most, resident);
    }
    const after = residentBytes(process.pid!);
    const [first, last, top] = [before, after, most].map((bytes) => Math.round(bytes / MIB));
    await others[Symbol.asyncDispose]();
    console.log(
      `${first} MiB were resident, ${top} at most, and ${last} in the end; ` +
        `${others.answered} queries of others were answered, within ${Math.round(others.longestMs)} ms each, ` +
        `${others.failures} of them with an error`,
    );
    // Some come too late where the machine is busy with more than this.
    assert(others.failures <= others.answered / 10, `${others.failures} of ${others.answered}: ${others.failed[0]}`);
    assert.equal(process.starts, starts);
    await until("nothing is open any more", async () => await metric(system.url(), "notifyx_delivery_sockets") === 0);
  });

  assert.deepEqual(await ann.get("{ me { id } }"), { me: { id: ann.id } });
});

/** A code that is undefined is none. */
function trimmed([status, code]: Outcome): Outcome {
  return code === undefined ? [status] : [status, code];
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]) * 1024;
}
