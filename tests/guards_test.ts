/** The gateway's guards from the outside, on each way into it: POST, GET, event stream and WebSocket. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Answers } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { EventStream } from "./helpers/event_stream.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { SlowService } from "./helpers/slow_service.ts";
import { startSystem, type System, until } from "./helpers/system.ts";

const JSON_TYPE = { "content-type": "application/json" };
const PERSISTED = { version: 1 };

interface Asked {
  readonly query?: string;
  readonly variables?: unknown;
  readonly extensions?: unknown;
}

/** What one way answers: the status where there is one, and the result. */
interface Answered {
  readonly status?: number;
  readonly retryAfter?: string | null;
  // deno-lint-ignore no-explicit-any -- whatever was asked for
  readonly data?: any;
  // deno-lint-ignore no-explicit-any
  readonly errors?: { message: string; extensions: any }[];
}

/** One way into the gateway; `address` is what a proxy says of whom it asks for. */
type Way = (system: System, asked: Asked, token?: string, address?: string) => Promise<Answered>;

const headersOf = (token?: string, address?: string) => ({
  ...token === undefined ? {} : { authorization: `Bearer ${token}` },
  ...address === undefined ? {} : { "x-forwarded-for": address },
});

async function read(response: Response): Promise<Answered> {
  const text = await response.text();
  const result = response.headers.get("content-type")!.startsWith("text/event-stream")
    ? JSON.parse(/^data: (.+)$/m.exec(text)![1]!)
    : JSON.parse(text);
  return { status: response.status, retryAfter: response.headers.get("retry-after"), ...result };
}

const WAYS: Record<string, Way> = {
  POST: async ({ graphqlUrl }, asked, token, address) =>
    await read(
      await fetch(graphqlUrl, {
        method: "POST",
        headers: { ...JSON_TYPE, ...headersOf(token, address) },
        body: JSON.stringify(asked),
      }),
    ),
  // From a page: its request goes the long way.
  "POST of a page": async ({ graphqlUrl }, asked, token, address) =>
    await read(
      await fetch(graphqlUrl, {
        method: "POST",
        headers: { ...JSON_TYPE, origin: new URL(graphqlUrl).origin, ...headersOf(token, address) },
        body: JSON.stringify(asked),
      }),
    ),
  "event stream": async ({ graphqlUrl }, asked, token, address) =>
    await read(
      await fetch(graphqlUrl, {
        method: "POST",
        headers: { ...JSON_TYPE, accept: "text/event-stream", ...headersOf(token, address) },
        body: JSON.stringify(asked),
      }),
    ),
  WebSocket: async ({ graphqlUrl }, asked, token, address) => {
    const headers = address === undefined ? "" : `x-forwarded-for: ${address}\r\n`;
    using socket = await RawSocket.connect(graphqlUrl, { headers });
    const payload = token === undefined ? {} : { authorization: `Bearer ${token}` };
    await socket.send({ type: "connection_init", payload });
    await socket.send({ type: "ping" });
    await socket.until(() => socket.messages.some(({ type }) => type === "connection_ack"));
    await socket.send({ type: "subscribe", id: "1", payload: asked });
    await socket.until(() => socket.messages.some(({ id }) => id === "1"));
    const message = socket.messages.find(({ id }) => id === "1")!;
    return message.type === "next" ? message.payload : { errors: message.payload };
  },
};

const GET: Way = async ({ graphqlUrl }, { query, variables, extensions }, token, address) => {
  const params = new URLSearchParams();
  if (query !== undefined) params.set("query", query);
  if (variables !== undefined) params.set("variables", JSON.stringify(variables));
  if (extensions !== undefined) params.set("extensions", JSON.stringify(extensions));
  return await read(await fetch(`${graphqlUrl}?${params}`, { headers: headersOf(token, address) }));
};

const code = ({ errors }: Answered) => errors?.[0]?.extensions.code;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const byHash = (text: string) => ({ persistedQuery: { ...PERSISTED, sha256Hash: sha256(text) } });

Deno.test("guards - the same on every way in", async (t) => {
  await using system = await startSystem({
    env: { NOTIFYX_QUERY_SECONDS: "1", NOTIFYX_TRUSTED_PROXIES: "127.0.0.1" },
  });
  using answers = new Answers();
  await using slow = await SlowService.join(system);
  const ann = await User.register(system);
  let addresses = 0;
  /** A new one each time, as from behind a proxy. */
  const address = () => `192.0.2.${++addresses}`;

  await t.step("200 notifications at once, by one user, are fine", async () => {
    const topicId = await ann.createTopic();
    const sent = await Promise.all(Array.from({ length: 200 }, (_, nth) => ann.send(topicId, `${nth}`)));
    assert.equal(new Set(sent.map(({ id }) => id)).size, 200);
  });

  await t.step(
    "signing in is counted for each field: aliases are no way around it, nor is another way in",
    async () => {
      const email = `${crypto.randomUUID()}@example.com`;
      const aliases = (count: number) =>
        `mutation { ${
          Array.from(
            { length: count },
            (_, nth) => `a${nth}: login(email: "${email}", password: "wrong ${nth}") { token }`,
          )
            .join(" ")
        } }`;
      for (const [name, ask] of Object.entries(WAYS)) {
        const from = address();
        const refused = await ask(system, { query: aliases(100) }, undefined, from);
        assert.equal(code(refused), "RATE_LIMITED", name);
        const { retryAfterSeconds } = refused.errors![0]!.extensions;
        assert(Number.isInteger(retryAfterSeconds) && retryAfterSeconds >= 1 && retryAfterSeconds <= 60, name);
        if (refused.status !== undefined) {
          assert.deepEqual([refused.status, refused.retryAfter], [429, String(retryAfterSeconds)], name);
        }
        // For the whole account, not for what was written a hundred times.
        const variables = { email: ` ${email.toUpperCase()} ` };
        const again = {
          query: 'mutation ($email: String!) { login(email: $email, password: "x") { token } }',
          variables,
        };
        assert.equal(code(await WAYS.POST!(system, again, undefined, from)), "RATE_LIMITED", name);
      }
      const from = address();
      for (let count = 0; count < 20; count++) {
        const way = Object.values(WAYS)[count % 4]!;
        const one = { query: aliases(1).replace(email, ann.email) };
        assert.equal(code(await way(system, one, undefined, from)), "UNAUTHENTICATED");
      }
      const one = { query: aliases(1).replace(email, ann.email) };
      for (const ask of Object.values(WAYS)) {
        assert.equal(
          code(await ask(system, one, undefined, from)),
          "RATE_LIMITED",
        );
      }
      // Ann, elsewhere, can still sign in.
      const right = `mutation { login(email: "${ann.email}", password: "correct horse") { user { id } } }`;
      assert.equal((await WAYS.POST!(system, { query: right }, undefined, address())).data.login.user.id, ann.id);
    },
  );

  await t.step("what a document may ask for", async () => {
    const deep = `{ topics { ${"edges { node { subscribers { ".repeat(4)} edges { cursor } ${"} } }".repeat(4)} } }`;
    const tooMuch: Record<string, Asked> = {
      deep: { query: deep },
      wide: { query: `{ me { ${"id ".repeat(1_000)} } }` },
      aliased: { query: `{ ${Array.from({ length: 51 }, (_, nth) => `a${nth}: unseenCount`).join(" ")} }` },
      directed: { query: `{ me { ${"id @include(if: true) ".repeat(51)} } }` },
      costly: {
        query:
          "{ topics(first: 1000) { edges { node { subscribers(first: 1000) { edges { node { id email } } } } } } }",
      },
      "costly by its variables": {
        query:
          "query ($n: Int) { topics(first: $n) { edges { node { subscribers(first: $n) { edges { cursor } } } } } }",
        variables: { n: 1_000 },
      },
    };
    for (const [name, ask] of [...Object.entries(WAYS), ["GET", GET] as const]) {
      for (const [what, asked] of Object.entries(tooMuch)) {
        const answered = await ask(system, asked, ann.token);
        assert.equal(code(answered), "BAD_USER_INPUT", `${what} by ${name}`);
        assert.match(answered.errors![0]!.message, /more than \d+/);
      }
      const fine = { ...tooMuch["costly by its variables"], variables: { n: 20 } };
      assert.equal((await ask(system, fine, ann.token)).errors, undefined, name);
    }
  });

  await t.step("a persisted query: unknown, given once, and then known by its hash", async () => {
    for (const [name, ask] of [...Object.entries(WAYS), ["GET", GET] as const]) {
      const query = `query ${name.replaceAll(" ", "_")} ($of: ID!) { user(id: $of) { id } }`;
      const variables = { of: ann.id };
      const extensions = byHash(query);
      const unknown = await ask(system, { variables, extensions }, ann.token);
      assert.equal(code(unknown), "PERSISTED_QUERY_NOT_FOUND", name);
      assert.equal(unknown.errors![0]!.message, "PersistedQueryNotFound");
      const given = await ask(system, { query, variables, extensions }, ann.token);
      assert.deepEqual(given.data, { user: { id: ann.id } }, name);
      for (const other of Object.values(WAYS)) {
        assert.deepEqual((await other(system, { variables, extensions }, ann.token)).data, given.data, name);
      }
      const stolen = await ask(system, { query: "{ __typename }", extensions }, ann.token);
      assert.equal(code(stolen), "BAD_USER_INPUT", name);
    }
    const mutation = "mutation { logout }";
    await WAYS.POST!(system, { query: mutation, extensions: byHash(mutation) });
    assert.equal(code(await GET(system, { extensions: byHash(mutation) }, ann.token)), "BAD_USER_INPUT");
    const subscription = "subscription { unseenCountChanged }";
    await WAYS.POST!(system, { query: subscription, extensions: byHash(subscription) }, ann.token);
    await using stream = new Disposed(
      await fetch(system.graphqlUrl, {
        method: "POST",
        headers: { ...JSON_TYPE, accept: "text/event-stream", ...headersOf(ann.token) },
        body: JSON.stringify({ extensions: byHash(subscription) }),
      }),
    );
    assert.match(await stream.until(/event: next/), /"unseenCountChanged":0/);
  });

  await t.step(
    "a query that takes too long is TIMEOUT, with the rest of its answer there; its call is given up",
    async () => {
      for (const [name, ask] of Object.entries(WAYS)) {
        const { givenUp } = slow;
        const began = performance.now();
        const answered = await ask(system, { query: "{ slow unseenCount }" }, ann.token);
        assert.deepEqual(answered.data, { slow: null, unseenCount: 0 }, name);
        assert.equal(code(answered), "TIMEOUT", name);
        // A call by itself may take three seconds.
        assert(performance.now() - began < 2_500, name);
        await until("it is given up", () => slow.givenUp > givenUp && slow.waiting === 0, 1_000);
      }
    },
  );

  await t.step("who goes away takes their calls along, at once and not when their time is over", async () => {
    const post = (headers: HeadersInit) => {
      const abort = new AbortController();
      const body = '{"query":"{ slow }"}';
      fetch(system.graphqlUrl, { method: "POST", headers, body, signal: abort.signal })
        .then((response) => response.text()).catch(() => {});
      return () => abort.abort();
    };
    const socket = await RawSocket.open(system.graphqlUrl, ann.token);
    let ids = 0;
    const subscribe = () => {
      const id = `${++ids}`;
      void socket.send({ type: "subscribe", id, payload: { query: "{ slow }" } });
      return id;
    };
    const goings: Record<string, () => () => unknown> = {
      POST: () => post(JSON_TYPE),
      "POST of a page": () => post({ ...JSON_TYPE, origin: system.url() }),
      "event stream": () => post({ ...JSON_TYPE, accept: "text/event-stream" }),
      complete: () => {
        const id = subscribe();
        return () => socket.send({ type: "complete", id });
      },
      "the socket's end": () => {
        subscribe();
        return () => socket[Symbol.dispose]();
      },
    };
    for (const [name, begin] of Object.entries(goings)) {
      const { givenUp } = slow;
      const go = begin();
      await until("it waits", () => slow.waiting === 1);
      const began = performance.now();
      go();
      await until(`${name}: it is given up`, () => slow.givenUp === givenUp + 1);
      assert(performance.now() - began < 1_500, name);
      assert.equal(slow.waiting, 0, name);
    }
    // The service is none the worse for it.
    assert.deepEqual((await WAYS.POST!(system, { query: "{ quick }" })).data, { quick: "quick" });
  });

  await t.step("a mutation goes on, whoever has gone", async () => {
    const { givenUp } = slow;
    const abort = new AbortController();
    const body = '{"query":"mutation { slowly }"}';
    fetch(system.graphqlUrl, { method: "POST", headers: JSON_TYPE, body, signal: abort.signal }).catch(() => {});
    await until("it waits", () => slow.waiting === 1);
    abort.abort();
    // A query that goes away behind it is given up before it.
    const query = new AbortController();
    const asking = { method: "POST", headers: JSON_TYPE, body: '{"query":"{ slow }"}', signal: query.signal };
    fetch(system.graphqlUrl, asking).catch(() => {});
    await until("both wait", () => slow.waiting === 2);
    query.abort();
    await until("the query is given up", () => slow.givenUp === givenUp + 1, 1_000);
    assert.equal(slow.waiting, 1);
    await until("the mutation has its own limit", () => slow.waiting === 0, 5_000);
  });

  assert(await answers.check() > 100);
});

Deno.test("guards - rates of a user on all ways together; trusted documents alone, and no word of the schema", async (t) => {
  const ME = "{ me { id } }";
  const trusted = [
    ME,
    'mutation ($email: String!) { register(email: $email, password: "correct horse") { token user { id } } }',
    "mutation ($s: TopicStatus!) { setTopicStatus(topicId: 1, status: $s) { id } }",
    "{ __schema { types { name } } }",
    "{ me { idd } }",
  ];
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify(Object.fromEntries(trusted.map((one) => [sha256(one), one]))));
  await using system = await startSystem({
    env: {
      NOTIFYX_OPERATIONS_PER_MINUTE_OF_USER: "20",
      NOTIFYX_TRUSTED_DOCUMENTS: file,
      NOTIFYX_INTROSPECTION: "off",
    },
  });
  await Deno.remove(file);
  using answers = new Answers();
  const [ann, bob] = [await User.register(system), await User.register(system)];

  await t.step("trusted documents, by hash or by text", async () => {
    for (const [name, ask] of [...Object.entries(WAYS), ["GET", GET] as const]) {
      assert.deepEqual((await ask(system, { extensions: byHash(ME) }, ann.token)).data, { me: { id: ann.id } }, name);
      for (const asked of [{ query: "{ me { id email } }" }, { query: `${ME} ` }, { extensions: byHash("{ me }") }]) {
        assert.equal(code(await ask(system, asked, ann.token)), "FORBIDDEN", name);
      }
    }
  });

  await t.step("errors say nothing of the schema", async () => {
    for (const query of ["{ __schema { types { name } } }", "{ me { idd } }"]) {
      const { errors } = await WAYS.POST!(system, { query }, ann.token);
      assert.equal(errors![0]!.extensions.code, "BAD_USER_INPUT");
      assert.doesNotMatch(JSON.stringify(errors), /Did you mean/);
    }
    const asked = { extensions: byHash(trusted[2]!), variables: { s: "ACTIV" } };
    for (const [name, ask] of Object.entries(WAYS)) {
      const { errors } = await ask(system, asked, bob.token);
      assert.match(errors![0]!.message, /does not exist in "TopicStatus" enum/, name);
      assert.doesNotMatch(JSON.stringify(errors), /Did you mean/, name);
    }
  });

  await t.step("a user's operations, whichever way they come", async () => {
    const codes: unknown[] = [];
    for (let count = 0; count < 32; count++) {
      codes.push(code(await Object.values(WAYS)[count % 4]!(system, { query: ME }, ann.token)));
    }
    const limited = codes.indexOf("RATE_LIMITED");
    assert(limited > 0);
    assert(codes.slice(limited).every((one) => one === "RATE_LIMITED"));
    assert.deepEqual((await WAYS.POST!(system, { query: ME }, bob.token)).data, { me: { id: bob.id } });
    const stream = await EventStream.open(system.graphqlUrl, ME, {}, headersOf(ann.token));
    assert.equal(stream.response.status, 429);
    await stream[Symbol.asyncDispose]();
  });

  assert(await answers.check() > 20);
});

/** An event stream that is read until what is waited for has come. */
class Disposed implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  async until(wanted: RegExp): Promise<string> {
    let text = "";
    while (!wanted.test(text)) {
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`it ended with ${text}`);
      text += value;
    }
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}
