/** The end of a session from the outside, with two gateways and two nodes of auth: whatever was opened with it ends within a second. */

import assert from "node:assert/strict";
import { delay, SECOND, withTimeLimit } from "../kit/time.ts";
import { graphql, User } from "./helpers/client.ts";
import { EventStream } from "./helpers/event_stream.ts";
import { metric, SECRET, startSystem, type System, until } from "./helpers/system.ts";

const SUBSCRIPTION = "subscription { notificationReceived { message } }";
const LOGIN = 'mutation ($email: String!) { login(email: $email, password: "correct horse") { token } }';
/** How soon an end takes effect everywhere, in milliseconds. */
const END_LIMIT_MS = SECOND;
/** The same when an instance of auth is frozen, which is noticed by its silence. */
const FROZEN_LIMIT_MS = 4 * SECOND;
const ROUNDS = 60;

/** A session of its user on one gateway: a request that it remembers, and an event stream. */
class Opened {
  private constructor(readonly url: string, readonly token: string, readonly stream: EventStream) {}

  static async on(url: string, token: string): Promise<Opened> {
    const stream = await EventStream.open(url, SUBSCRIPTION, {}, { authorization: `Bearer ${token}` });
    const opened = new Opened(url, token, stream);
    assert.equal(await opened.code(), undefined);
    return opened;
  }

  /** The error of a request with this session; undefined where there is none. */
  async code(): Promise<string | undefined> {
    return (await graphql(this.url, "{ me { id } }", {}, this.token)).errors?.[0]?.extensions.code;
  }

  /** Both end within the limit: the request is refused, the stream says why and ends. */
  async ends(limitMs: number): Promise<void> {
    const giveUpAt = Date.now() + limitMs;
    await until("a request is refused", async () => await this.code() === "UNAUTHENTICATED", limitMs);
    await withTimeLimit("the stream", Math.max(1, giveUpAt - Date.now()), this.stream.ended);
    const [last, complete] = this.stream.events.slice(-2);
    assert.equal(last?.data.errors[0].extensions.code, "UNAUTHENTICATED");
    assert.equal(complete?.event, "complete");
  }
}

async function tokenHash(token: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
}

/** A new session of `user`, made in the database: no gateway has heard of it. */
async function newSession(system: System, { id }: User, seconds = 600): Promise<string> {
  const token = crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
  await system.database("auth")`insert into sessions (id, user_id, token_hash, expires_at)
    values (gen_random_uuid(), ${id}, ${await tokenHash(token)}, now() + make_interval(secs => ${seconds}))`;
  return token;
}

/** Ends a session as a logout does, with no gateway and no node of auth taking part. */
async function endSession(system: System, token: string): Promise<void> {
  const ended = await system.database("auth")`delete from sessions where token_hash = ${await tokenHash(token)}`;
  assert.equal(ended.count, 1);
}

Deno.test("session end - it takes effect on every gateway within a second", async (t) => {
  await using system = await startSystem({ counts: { gateway: 2, auth: 2 }, durable: true });
  const [here, there] = [0, 1].map((nth) => `${system.url("gateway", nth)}/graphql`) as [string, string];
  const user = await User.register(system);
  const follows = () =>
    until("both gateways follow the stream", async () => {
      const up = [0, 1].map((nth) => metric(system.url("gateway", nth), "notifyx_sessions_stream_up"));
      return (await Promise.all(up)).every((one) => one === 1);
    });
  /** An auth that was away is ready before each gateway has heard from discovery that it is back. */
  const exchanges = () =>
    until("both gateways exchange sessions", async () => {
      const token = await newSession(system, user);
      const answers = await Promise.all([here, there].map((url) => graphql(url, "{ me { id } }", {}, token)));
      return answers.every(({ errors }) => errors === undefined);
    });
  await follows();

  await t.step("by a logout, and no other session ends", async () => {
    const topicId = await user.createTopic();
    await user.join(topicId);
    const other = await Opened.on(there, (await graphql(here, LOGIN, { email: user.email })).data.login.token);
    const token = (await graphql(here, LOGIN, { email: user.email })).data.login.token;
    const all = await Promise.all([here, there].map((url) => Opened.on(url, token)));
    assert.deepEqual((await graphql(here, "mutation { logout }", {}, token)).data, { logout: true });
    await Promise.all(all.map((one) => one.ends(END_LIMIT_MS)));
    assert.equal(await other.code(), undefined);
    await user.send(topicId, "still here");
    await until("the other stream goes on", () => other.stream.events.length === 1);
    assert.equal(other.stream.events[0]!.data.data.notificationReceived.message, "still here");
    await other.stream[Symbol.asyncDispose]();
  });

  await t.step("by one login too many, which ends the oldest", async () => {
    const many = await User.register(system);
    const all = await Promise.all([here, there].map((url) => Opened.on(url, many.token)));
    for (let count = 1; count < 100; count++) await newSession(system, many);
    await graphql(here, LOGIN, { email: many.email });
    await Promise.all(all.map((one) => one.ends(END_LIMIT_MS)));
  });

  await t.step("by its expiry, for each at its own", async () => {
    const began = Date.now();
    await Promise.all([2, 3, 4].map(async (seconds) => {
      const opened = await Opened.on(there, await newSession(system, user, seconds));
      const { stream } = opened;
      await delay(began + seconds * SECOND - 200 - Date.now());
      assert.deepEqual([stream.events, await opened.code()], [[], undefined], "not before");
      await opened.ends(END_LIMIT_MS + 200);
    }));
  });

  await t.step("while a node of auth is killed", async () => {
    for (const nth of [0, 1]) {
      const token = await newSession(system, user);
      const all = await Promise.all([here, there].map((url) => Opened.on(url, token)));
      system.signal("SIGKILL", "auth", nth);
      await endSession(system, token);
      await Promise.all(all.map((one) => one.ends(END_LIMIT_MS)));
      await system.allReady();
    }
  });

  await t.step("while a node of auth is frozen", async () => {
    for (const nth of [0, 1]) {
      const token = await newSession(system, user);
      const all = await Promise.all([here, there].map((url) => Opened.on(url, token)));
      system.signal("SIGSTOP", "auth", nth);
      try {
        await endSession(system, token);
        await Promise.all(all.map((one) => one.ends(FROZEN_LIMIT_MS)));
      } finally {
        system.signal("SIGCONT", "auth", nth);
      }
      await system.allReady();
    }
  });

  await t.step("after PostgreSQL was killed and came back", async () => {
    const token = await newSession(system, user);
    const all = await Promise.all([here, there].map((url) => Opened.on(url, token)));
    system.killPostgres();
    await system.allReady();
    // The pool of the test has lost its connections too.
    await until("the test's pool is back", async () => {
      return await system.database("auth")`select 1`.then(() => true, () => false);
    });
    await follows();
    await exchanges();
    await endSession(system, token);
    await Promise.all(all.map((one) => one.ends(END_LIMIT_MS)));
  });

  await t.step("once auth is back, where all of it was away; what was known served on until then", async () => {
    await follows();
    const token = await newSession(system, user);
    const opened = await Opened.on(there, token);
    for (const nth of [0, 1]) system.signal("SIGSTOP", "auth", nth);
    try {
      await endSession(system, token);
      await delay(3 * SECOND);
      const topics = await graphql(there, "{ topics(first: 1) { edges { cursor } } }", {}, token);
      assert.equal(topics.errors, undefined);
      assert.deepEqual(opened.stream.events, []);
    } finally {
      for (const nth of [0, 1]) system.signal("SIGCONT", "auth", nth);
    }
    await opened.ends(FROZEN_LIMIT_MS);
  });

  await t.step("also where it ends while it is exchanged", async () => {
    await system.allReady();
    await exchanges();
    let caught = 0;
    for (let round = 0; round < ROUNDS; round += 10) {
      await Promise.all(Array.from({ length: 10 }, async () => {
        const token = await newSession(system, user);
        const ending = delay(Math.random() * 25).then(() => endSession(system, token));
        const stream = await EventStream.open(there, SUBSCRIPTION, {}, { authorization: `Bearer ${token}` });
        await ending;
        if (stream.response.status === 200) caught++;
        await withTimeLimit("the stream", END_LIMIT_MS, stream.ended);
        const refused = stream.response.status === 401;
        const told = stream.events[0]?.data.errors[0].extensions.code === "UNAUTHENTICATED";
        assert.ok(refused || told, `${stream.response.status} ${JSON.stringify(stream.events)}`);
        const { errors } = await graphql(there, "{ me { id } }", {}, token);
        assert.equal(errors?.[0]?.extensions.code, "UNAUTHENTICATED");
      }));
    }
    assert.ok(
      caught > ROUNDS / 10 && caught < ROUNDS,
      `${caught} of ${ROUNDS} ended behind the exchange, none before it`,
    );
    await until("nothing is watched any more", async () => {
      return await metric(system.url("gateway", 1), "notifyx_sessions_watches") === 0;
    });
  });

  await t.step("a stream that can't go on is told so, and the gateway asks about what it knows", async () => {
    const lost = () => metric(system.url("gateway", 1), "notifyx_sessions_stream_lost_total");
    const before = await lost();
    const [dead, alive] = [
      await Opened.on(there, await newSession(system, user)),
      await Opened.on(there, await newSession(system, user)),
    ];
    const sql = system.database("auth");
    await sql.begin(async (transaction) => {
      // As after a restore into another database: this end stands in no stream.
      await transaction`alter table sessions disable trigger note_ended_sessions`;
      await transaction`delete from sessions where token_hash = ${await tokenHash(dead.token)}`;
      await transaction`alter table sessions enable trigger note_ended_sessions`;
      await transaction`update ended_head set epoch = 'another'`;
    });
    await dead.ends(2 * END_LIMIT_MS);
    assert.ok(await lost() > before);
    assert.equal(await alive.code(), undefined);
    assert.deepEqual(alive.stream.events, []);
    await alive.stream[Symbol.asyncDispose]();
  });

  await t.step("the stream names sessions by their hash, and nothing else", async () => {
    const [row] = await system.database("auth")`select ended_epoch() as epoch, position from ended_head`;
    const response = await fetch(`${system.url("auth")}/api/sessions/ended?after=0&epoch=${row!.epoch}`, {
      headers: { authorization: `Bearer ${SECRET}` },
    });
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes(`"position":${row!.position}}`)) break;
    }
    const [first, ...rest] = text.trim().split("\n");
    assert.deepEqual(JSON.parse(first!), { position: 0, epoch: row!.epoch, lost: false });
    const ended = rest.filter((line) => /^\{"position":\d+,"hash":"[\w+/]{43}="\}$/.test(line));
    assert.deepEqual([ended.length, rest.length - ended.length], [row!.position, 1]);
  });
});
