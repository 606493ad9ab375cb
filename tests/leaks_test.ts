/**
 * Nothing internal leaves: every root field is asked with everything wrong, every route with nothing right, while all is well, while each
 * service is away or stands still, and while the database is locked or gone. Each answer is searched for stacks, SQL, hosts and files.
 */

import assert from "node:assert/strict";
import { SECOND } from "../kit/time.ts";
import { assertNothingInternal } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { type AskedField, everyField, schemaOf } from "./helpers/every_field.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { longTest } from "./helpers/long.ts";
import { startSystem, type System } from "./helpers/system.ts";

const AT_ONCE = 4;
/** What may be said of a request that is wrong while all is well. */
const OF_BAD_INPUT = ["BAD_USER_INPUT", "NOT_FOUND", "FORBIDDEN", "CONFLICT", "UNAUTHENTICATED", "TRANSACTION_ABORTED"];
/** And while something is away: that too. */
const OF_OUTAGES = [...OF_BAD_INPUT, "SERVICE_UNAVAILABLE", "TIMEOUT", "TOO_MANY_REQUESTS"];
/** Whose arguments name who somebody is: they sign in, or end the session that asks. */
const WITHOUT_A_SESSION = new Set(["login", "register", "logout"]);

class Asker {
  answers = 0;

  constructor(private readonly url: string, private readonly user: User) {}

  /** All of them by HTTP or, subscriptions, over a socket; what comes has these codes and nothing internal. */
  async all(asked: readonly AskedField[], codes: readonly string[]): Promise<void> {
    const queue = asked.filter(({ operation }) => operation !== "subscription");
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let one = queue.pop(); one !== undefined; one = queue.pop()) await this.#post(one, codes);
    }));
    await this.#subscribe(asked.filter(({ operation }) => operation === "subscription"), codes);
  }

  async #post({ field, query, variables }: AskedField, codes: readonly string[]): Promise<void> {
    const headers = new Headers({ "content-type": "application/json" });
    if (!WITHOUT_A_SESSION.has(field)) headers.set("authorization", `Bearer ${this.user.token}`);
    const response = await fetch(this.url, {
      method: "POST",
      headers,
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(30 * SECOND),
    });
    this.#check(await response.text(), codes, `${field} ${JSON.stringify(variables).slice(0, 200)}`);
  }

  async #subscribe(asked: readonly AskedField[], codes: readonly string[]): Promise<void> {
    using socket = await RawSocket.connect(this.url);
    await socket.send({ type: "connection_init", payload: { authorization: `Bearer ${this.user.token}` } });
    await socket.until(() => socket.messages.length > 0 || socket.isClosed);
    if (socket.isClosed) {
      // Its session is checked anew after what may have ended it, and in an outage it can't be.
      assert(codes === OF_OUTAGES);
      assert.deepEqual(await socket.closed, { code: 1013, reason: "try again later" });
      this.answers += asked.length;
      return;
    }
    for (const [nth, { query, variables }] of asked.entries()) {
      const id = `${nth}`;
      await socket.send({ type: "subscribe", id, payload: { query, variables } });
      // Those that are right go on: each has to say that it has begun, or what is wrong with it, before the query behind it is answered.
      await socket.send({ type: "subscribe", id: `${id} then`, payload: { query: "{ __typename unseenCount }" } });
      await socket.until(() => socket.messages.some((message) => message.id === `${id} then`));
      await socket.send({ type: "complete", id });
    }
    for (const { type, payload } of socket.messages) {
      if (payload) this.#check(JSON.stringify({ type, payload }), codes, "a socket");
    }
  }

  #check(text: string, codes: readonly string[], what: string): void {
    this.answers++;
    assertNothingInternal(text);
    for (const code of codesIn(JSON.parse(text))) {
      assert(codes.includes(code), `${code} of ${what}: ${text.slice(0, 300)}`);
    }
  }
}

/** Every `code` of an `extensions`, wherever it stands. */
function codesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { extensions, ...others } = value as { extensions?: { code?: string } };
  return [...extensions?.code === undefined ? [] : [extensions.code], ...Object.values(others).flatMap(codesIn)];
}

async function start(): Promise<{ system: System; asker: Asker; all: AskedField[]; right: AskedField[] }> {
  // Links that are for people begin with it: what else is a host is internal.
  const env = { NOTIFYX_LIMITS: "off", NOTIFYX_PUBLIC_URL: "https://notify.example" };
  const system = await startSystem({ env });
  const ann = await User.register(system);
  const topicId = await ann.createTopic();
  await ann.join(topicId);
  const { id } = await ann.send(topicId, "one");
  const schema = await schemaOf(system.graphqlUrl);
  const all = everyField(schema, { topicId, id, userId: ann.id, message: "x", name: "a name", email: "x@example.com" });
  // The first of each field has nothing wrong with it; what deletes comes last, so that the others have something to find.
  const right = all.filter(({ field }, at) =>
    all.findIndex((one) => one.field === field) === at && !/^(delete|retract)/.test(field)
  );
  return { system, asker: new Asker(system.graphqlUrl, ann), all, right };
}

Deno.test("leaks - each argument of each field gone wrong", async () => {
  const { system, asker, all } = await start();
  await using _ = system;
  assert(all.length > 500, `${all.length} operations`);
  await asker.all(all, OF_BAD_INPUT);
  assert(asker.answers > all.length);
});

longTest("leaks - each service away, or standing still", async (t) => {
  for (const kind of ["counter", "notifications", "auth", "discovery"] as const) {
    await t.step(kind, async () => {
      const { system, asker, right } = await start();
      await using _ = system;
      system.signal("SIGSTOP", kind);
      await asker.all(right, OF_OUTAGES);
      system.signal("SIGCONT", kind);
      await system.node(kind).process.stop(5 * SECOND);
      await asker.all(right, OF_OUTAGES);
      assert(asker.answers >= 2 * right.length);
    });
  }
});

longTest("leaks - the database locked, and then gone", async () => {
  const { system, asker, right } = await start();
  await using _ = system;
  const tables = { auth: "users, sessions", notifications: "topics, notifications" };
  const locks = await Promise.all(
    Object.entries(tables).map(async ([service, names]) => {
      const sql = await system.database(service as keyof typeof tables).reserve();
      await sql.unsafe(`begin; lock table ${names} in access exclusive mode`);
      return sql;
    }),
  );
  await asker.all(right, OF_OUTAGES);
  for (const sql of locks) {
    await sql.unsafe("rollback");
    sql.release();
  }
  await system.postgres.process.stop(10 * SECOND);
  await asker.all(right, OF_OUTAGES);
  assert(asker.answers >= 2 * right.length);
});

Deno.test("leaks - every route of every process, asked by a stranger and for nothing that is right", async () => {
  await using system = await startSystem();
  const paths = [
    "/",
    "/graphql",
    "/graphql?query=%7B__schema%7Btypes%7Bname%7D%7D%7D",
    "/graphql/assets/..%2f..%2fdeno.json",
    "/graphql/assets/__proto__",
    "/health/live",
    "/health/ready",
    "/api/prepare_2pc",
    "/api/commit_2pc",
    "/api/rollback_2pc",
    "/api/identity",
    "/api/sessions/ended",
    "/api/transactions/x",
    "/api/transactions/'%3B--",
    "/api/transactions/x/inquire",
    "/api/instances/%00",
    "/api/services/__proto__",
    "/api/channel",
    "/.env",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/%ff%fe",
  ];
  const bodies = [
    undefined,
    "",
    "{",
    "[]",
    '{"query":"{ _sdl }"}',
    '{"transactionId":"\'","operation":"x","input":{}}',
  ];
  let answers = 0;
  for (const { url } of system.cluster.nodes) {
    for (const path of paths) {
      for (const method of ["GET", "POST", "PUT", "DELETE"]) {
        for (const body of method === "GET" ? [undefined] : bodies) {
          const response = await fetch(`${url}${path}`, {
            method,
            body,
            headers: { "content-type": "application/json", authorization: "Bearer x", "x-notifyx-identity": "x.y.z" },
            signal: AbortSignal.timeout(10 * SECOND),
          });
          const text = await response.text();
          assert(response.status < 500 || path === "/health/ready", `${response.status} of ${method} ${url}${path}`);
          assertNothingInternal(text);
          assert.equal(response.headers.get("server"), null);
          assert.equal(response.headers.get("x-powered-by"), null);
          answers++;
        }
      }
    }
  }
  assert(answers > 1_000);
});
