/** What the gateway knows of sessions, over an auth whose answers and stream the test has in its hand. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Gauge } from "prom-client";
import type { Directory } from "../kit/directory.ts";
import { lookupsOf } from "../kit/cache_metrics.ts";
import { registry } from "../kit/metrics.ts";
import { Balancer } from "./balancer.ts";
import { Sessions } from "./sessions.ts";

const TOKEN = "a-token";
const LIMIT_MS = 5_000;

const followed = registry.getSingleMetric("notifyx_sessions_stream_up") as Gauge;

/** An auth that speaks as the real one does: sessions that end when the test says so, and answers when it is allowed to. */
class Auth implements AsyncDisposable {
  /** What has ended, in its order; positions count from 1. */
  readonly ended: string[] = [];
  readonly #dead = new Set<string>();
  /** When sessions expire, in milliseconds since 1970. */
  sessionEndsAt = Date.now() + 3_600_000;
  epoch = "one";
  asked = 0;
  askedAbout = 0;
  away = false;
  mayAnswer = Promise.resolve();
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  /** All that were made of it, which it stops. */
  readonly made: Sessions[] = [];
  readonly #server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    if (this.away) return Response.json({ error: "away", code: "SERVICE_UNAVAILABLE" }, { status: 503 });
    const url = new URL(request.url);
    if (url.pathname === "/api/sessions/ended") return this.#stream(url.searchParams);
    return url.pathname === "/api/identity" ? this.#exchange(request) : this.#living(request);
  });

  async #exchange(request: Request): Promise<Response> {
    const { token } = await request.json();
    this.asked++;
    const lives = this.#lives(hash(token));
    await this.mayAnswer;
    return lives
      ? Response.json({
        identity: `identity ${this.asked}`,
        expiresAt: new Date(Date.now() + 20_000),
        userId: "ann",
        sessionExpiresAt: new Date(this.sessionEndsAt),
      })
      : Response.json({ error: "it has ended", code: "UNAUTHENTICATED" }, { status: 401 });
  }

  async #living(request: Request): Promise<Response> {
    const { hashes } = await request.json() as { hashes: string[] };
    this.askedAbout += hashes.length;
    const living = hashes.filter((one) => this.#lives(one));
    return Response.json({ living: living.map((one) => ({ hash: one, expiresAt: new Date(this.sessionEndsAt) })) });
  }

  #stream(query: URLSearchParams): Response {
    const after = query.get("after");
    const lost = after !== null && query.get("epoch") !== this.epoch;
    const start = after === null || lost ? this.ended.length : Number(after);
    let stream: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      cancel: () => void this.#streams.delete(stream),
      start: (controller) => {
        this.#streams.add(stream = controller);
        write(controller, { position: start, epoch: this.epoch, lost });
        this.ended.slice(start).forEach((hash, at) => write(controller, { position: start + at + 1, hash }));
      },
    });
    return new Response(body);
  }

  #lives(hash: string): boolean {
    return !this.#dead.has(hash) && Date.now() < this.sessionEndsAt;
  }

  /** How many streams are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Ends the session of `token`; with `tell` false its stream says nothing of it. */
  end(token: string, tell = true): void {
    this.#dead.add(hash(token));
    if (!tell) return;
    this.ended.push(hash(token));
    for (const one of this.#streams) write(one, { position: this.ended.length, hash: hash(token) });
  }

  cutStreams(): void {
    for (const one of this.#streams) one.close();
    this.#streams.clear();
  }

  sessions(): Sessions {
    const url = `http://127.0.0.1:${this.#server.addr.port}`;
    const directory = { instances: () => [{ id: "auth", url }] } as unknown as Directory;
    const sessions = new Sessions(new Balancer(directory), "secret", getLogger("test"));
    this.made.push(sessions);
    return sessions;
  }

  /** Sessions that follow the stream by now. */
  async following(): Promise<Sessions> {
    const sessions = this.sessions();
    followed.set(0);
    sessions.start();
    // Not before it has read the first line: what it knows by then it would ask about.
    await until("it follows", async () => (await followed.get()).values[0]!.value === 1);
    return sessions;
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.made.map((sessions) => sessions.stop()));
    this.cutStreams();
    await this.#server.shutdown();
  }
}

function write(controller: ReadableStreamDefaultController<Uint8Array>, line: unknown): void {
  controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + LIMIT_MS; !await holds(); await new Promise((next) => setTimeout(next, 5))) {
    assert.ok(Date.now() < giveUpAt, `${what}: not within ${LIMIT_MS} ms`);
  }
}

/** A watch, and how often it was told. */
function watch(sessions: Sessions, token = TOKEN) {
  const watched = { told: 0, at: 0, unwatch: () => {} };
  watched.unwatch = sessions.watch(token, () => {
    watched.told++;
    watched.at = Date.now();
  });
  return watched;
}

/** The auth's answers wait until the second function is called. */
function hold(auth: Auth): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  auth.mayAnswer = promise;
  return resolve;
}

const ended = { code: "UNAUTHENTICATED" };

Deno.test("sessions - a sign-out is not undone by an exchange that was on its way", async () => {
  await using auth = new Auth();
  const sessions = auth.sessions();
  const before = { ...lookupsOf("sessions") };
  assert.equal((await sessions.of(TOKEN)).userId, "ann");
  const answer = hold(auth);
  // Less than half a minute is left, so this one is answered at once and renewed behind its back.
  await sessions.of(TOKEN);
  assert.deepEqual(lookupsOf("sessions"), { hits: before.hits + 1, misses: before.misses + 1 });
  await until("the second exchange", () => auth.asked === 2);
  // Who waits for an exchange of before the sign-out has to hear of it as well.
  const waiting = assert.rejects(auth.sessions().of(TOKEN), ended);
  await until("a third", () => auth.asked === 3);
  auth.end(TOKEN);
  for (const one of auth.made) one.forget(TOKEN);
  answer();
  await waiting;
  await assert.rejects(sessions.of(TOKEN), ended);
});

Deno.test("sessions - requests that come together share one exchange", async () => {
  await using auth = new Auth();
  const sessions = auth.sessions();
  const all = await Promise.all(Array.from({ length: 20 }, () => sessions.of(TOKEN)));
  assert.equal(auth.asked, 1);
  assert(all.every((one) => one === all[0]));
});

Deno.test("sessions - one that ends elsewhere is forgotten, and each of its watches told once, but for those that were ended", async () => {
  await using auth = new Auth();
  const sessions = await auth.following();
  await sessions.of(TOKEN);
  await sessions.of("another");
  const [one, two, gone, other] = [
    watch(sessions),
    watch(sessions),
    watch(sessions),
    watch(sessions, "another"),
  ];
  gone.unwatch();
  gone.unwatch();
  auth.end(TOKEN);
  await until("both are told", () => one.told + two.told > 1);
  await assert.rejects(sessions.of(TOKEN), ended);
  auth.end(TOKEN);
  auth.end("another");
  await until("the other is told", () => other.told > 0);
  assert.deepEqual([one.told, two.told, gone.told, other.told], [1, 1, 0, 1]);
});

Deno.test("sessions - one that ends while it is exchanged is refused to who waits, and its watch is told", async () => {
  await using auth = new Auth();
  const sessions = await auth.following();
  const answer = hold(auth);
  const watched = watch(sessions);
  const exchanged = assert.rejects(sessions.of(TOKEN), ended);
  // Auth has looked, and found it alive, but its answer isn't here.
  await until("the exchange", () => auth.asked === 1);
  auth.end(TOKEN);
  await until("it is told", () => watched.told === 1);
  answer();
  await exchanged;
  await assert.rejects(sessions.of(TOKEN), ended);
  assert.equal(watched.told, 1);
});

Deno.test("sessions - a watch that comes after the end is told all the same", async () => {
  await using auth = new Auth();
  const sessions = await auth.following();
  await sessions.of(TOKEN);
  auth.end(TOKEN);
  while (await sessions.of(TOKEN).then(() => true, () => false)) await new Promise((next) => setTimeout(next, 5));
  const watched = watch(sessions);
  await until("it is told", () => watched.told === 1);
  const malformed = watch(sessions, "no token!");
  await until("that is told as well", () => malformed.told === 1);
});

Deno.test("sessions - what ended while the stream was away comes when it is back", async () => {
  await using auth = new Auth();
  const sessions = await auth.following();
  await sessions.of(TOKEN);
  const watched = watch(sessions);
  auth.away = true;
  auth.cutStreams();
  auth.end(TOKEN);
  // What is known serves on while auth is away.
  assert.equal((await sessions.of(TOKEN)).userId, "ann");
  await new Promise((next) => setTimeout(next, 300));
  assert.equal((await sessions.of(TOKEN)).userId, "ann");
  assert.equal(watched.told, 0);
  auth.away = false;
  await until("it is told", () => watched.told === 1);
  await assert.rejects(sessions.of(TOKEN), ended);
  assert.equal(auth.askedAbout, 0);
});

Deno.test("sessions - where the stream can't go on all that is known is asked about, also what is being exchanged", async () => {
  await using auth = new Auth();
  const sessions = await auth.following();
  const tokens = Array.from({ length: 1_100 }, (_, nth) => `token-${nth}`);
  // Each has its limit of time, also on a busy machine.
  for (let from = 0; from < tokens.length; from += 100) {
    await Promise.all(tokens.slice(from, from + 100).map((token) => sessions.of(token)));
  }
  const watches = tokens.slice(0, 50).map((token) => watch(sessions, token));
  const answer = hold(auth);
  const late = assert.rejects(sessions.of("late"), ended);
  await until("its exchange", () => auth.asked === tokens.length + 1);
  const dead = ["token-7", "token-1099", "late"];
  for (const token of dead) auth.end(token, false);
  auth.epoch = "two";
  auth.cutStreams();
  await until("all are asked about", () => auth.askedAbout === tokens.length + 1);
  await until("it is told", () => watches[7]!.told === 1);
  answer();
  await late;
  for (const token of dead) await assert.rejects(sessions.of(token), ended);
  assert.equal((await sessions.of("token-8")).userId, "ann");
  assert.equal(watches.reduce((sum, { told }) => sum + told, 0), 1);
});

Deno.test("sessions - what was exchanged before the first stream is asked about, until there is an answer", async () => {
  await using auth = new Auth();
  const sessions = auth.sessions();
  await sessions.of(TOKEN);
  const watched = watch(sessions);
  auth.end(TOKEN, false);
  sessions.start();
  await until("it is told", () => watched.told === 1);
  // A watch for which auth couldn't be asked is asked about later.
  auth.away = true;
  const later = watch(sessions);
  await new Promise((next) => setTimeout(next, 100));
  assert.equal(later.told, 0);
  auth.away = false;
  await until("that one is told", () => later.told === 1);
});

Deno.test("sessions - an expiry is told within a second, by itself", async () => {
  await using auth = new Auth();
  auth.sessionEndsAt = Date.now() + 400;
  const sessions = auth.sessions();
  const before = watch(sessions);
  await until("it is exchanged", () => auth.asked === 1);
  const after = watch(sessions);
  await until("both are told", () => before.told === 1 && after.told === 1);
  for (const { at } of [before, after]) {
    assert.ok(at >= auth.sessionEndsAt && at < auth.sessionEndsAt + 900, `${at - auth.sessionEndsAt} ms`);
  }
  await assert.rejects(sessions.of(TOKEN), ended);
});

Deno.test("sessions - 10,000 that are watched cost little, and each is told", async () => {
  await using auth = new Auth();
  const sessions = await auth.following();
  await sessions.of(TOKEN);
  let told = 0;
  const began = performance.now();
  const unwatch = Array.from({ length: 10_000 }, () => sessions.watch(TOKEN, () => told++));
  assert.ok(performance.now() - began < 1_000, "the watches");
  for (const one of unwatch.slice(0, 5_000)) one();
  auth.end(TOKEN);
  await until("the rest are told", () => told === 5_000);
});
