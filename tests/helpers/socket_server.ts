/**
 * A gateway's sockets with nothing behind them, as a process of its own: what they cost, and what they do to a client, is then theirs.
 * Tests start it by {@link startSocketServer}; its settings are the gateway's.
 */

import { makeExecutableSchema } from "@graphql-tools/schema";
import { getOperationAST, getVariableValues } from "graphql";
import { Hono } from "hono";
import { Connections } from "../../gateway/delivery/connections.ts";
import type { Running, Sink, SubscriptionRequest, Subscriptions } from "../../gateway/delivery/operation.ts";
import { SOCKET_SETTINGS } from "../../gateway/delivery/settings.ts";
import { serveSockets } from "../../gateway/delivery/sockets.ts";
import { Guards } from "../../gateway/guards/guards.ts";
import { GUARD_SETTINGS } from "../../gateway/guards/settings.ts";
import { listenWithSockets } from "../../kit/listen.ts";
import { Origins } from "../../kit/origins.ts";
import type { Sessions } from "../../gateway/sessions.ts";
import { COMMON_SETTINGS, readConfig } from "../../kit/config.ts";
import { UserError } from "../../kit/errors.ts";
import { DocumentCache } from "../../kit/graphql.ts";
import type { App } from "../../kit/http.ts";
import { startLog } from "../../kit/log.ts";
import { registry } from "../../kit/metrics.ts";
import { delay, SECOND, withTimeLimit } from "../../kit/time.ts";
import { fileURLToPath } from "node:url";

export interface Stats {
  readonly rss: number;
  readonly heapUsed: number;
  /** Open files and sockets of the process. */
  readonly handles: number;
  /** Subscriptions that run. */
  readonly running: number;
  /** Mutations that have come to their end. */
  readonly mutations: number;
}

export class SocketServer implements AsyncDisposable {
  url = "";
  /** What it has written so far. */
  output = "";
  readonly #ended: Promise<unknown>;

  constructor(private readonly process: Deno.ChildProcess, onPort: (port: string) => void) {
    this.#ended = Promise.all([process.stdout, process.stderr].map(async (stream) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        this.output += text;
        const port = /^port (\d+)$/m.exec(this.output)?.[1];
        if (port !== undefined) onPort(port);
      }
    }));
  }

  /** Its exit code, when all of its output is there. */
  async exitCode(): Promise<number> {
    await this.#ended;
    return (await this.process.status).code;
  }

  get graphqlUrl(): string {
    return `${this.url}/graphql`;
  }

  /** Sends events `from` to before `to`, each with its number in front and `bytes` in all, to every subscription, or to those of one size. */
  async publish(from: number, to: number, bytes?: number): Promise<void> {
    await this.#ask(`/publish?from=${from}&to=${to}${bytes === undefined ? "" : `&bytes=${bytes}`}`);
  }

  async endSession(token: string): Promise<void> {
    await this.#ask(`/end?token=${token}`);
  }

  async stats(): Promise<Stats> {
    return JSON.parse(await this.#ask("/stats"));
  }

  /** A metric's value, with its labels as they are written. */
  async metric(name: string): Promise<number> {
    const line = (await this.#ask("/metrics")).split("\n").find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length) ?? 0);
  }

  stop(): void {
    this.process.kill("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.exitCode();
  }

  async #ask(path: string): Promise<string> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(30 * SECOND) });
    return await response.text();
  }
}

export async function startSocketServer(env: Record<string, string> = {}): Promise<SocketServer> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", "--v8-flags=--expose-gc", fileURLToPath(import.meta.url)],
    env: { NOTIFYX_CLUSTER_SECRET: "x".repeat(32), NOTIFYX_LOG_FORMAT: "json", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const listens = Promise.withResolvers<string>();
  const server = new SocketServer(process, listens.resolve);
  try {
    server.url = `http://127.0.0.1:${await withTimeLimit("the socket server's start", 30 * SECOND, listens.promise)}`;
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

const SDL = `
  type Query { hello(after: Int = 0): String fails: Int }
  type Mutation { wait(ms: Int!): Int }
  type Subscription { events(bytes: Int = 100, own: Boolean = false): String  refused: String }
`;

/** Subscriptions of one size share their payloads, as the hub's groups do; with `own` each has its own, as documents with personal fields. */
class Broadcast implements Subscriptions {
  readonly sinks = new Map<number, Set<Sink>>();
  readonly #own = new Set<Sink>();

  start({ schema, document, operationName, variables }: SubscriptionRequest, sink: Sink): Promise<Running> {
    const operation = getOperationAST(document, operationName)!;
    const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
    if (errors) sink.error(errors.map((error) => error.toJSON()));
    else if (JSON.stringify(operation.selectionSet).includes("refused")) {
      sink.error([new UserError("FORBIDDEN", "not for you").toJSON()]);
    } else {
      const bytes = Number(coerced?.bytes ?? 100);
      const sinks = this.sinks.get(bytes) ?? new Set();
      this.sinks.set(bytes, sinks.add(sink));
      if (coerced?.own) this.#own.add(sink);
      const stop = () => {
        sinks.delete(sink);
        this.#own.delete(sink);
      };
      return Promise.resolve({ stop });
    }
    return Promise.resolve({ stop() {} });
  }

  publish(number: number, only?: number): void {
    for (const [bytes, sinks] of this.sinks) {
      if (only !== undefined && only !== bytes) continue;
      const text = `${number} ${Date.now()} `;
      const payload = new TextEncoder().encode(JSON.stringify({ data: { events: text.padEnd(bytes, "x") } }));
      for (const sink of sinks) sink.next(this.#own.has(sink) ? payload.slice() : payload);
    }
  }
}

/** The token is its user's id. */
class OpenSessions {
  readonly watches = new Map<string, Set<() => void>>();

  ofKey(_key: string, token: string | null) {
    if (token === "bad") return Promise.reject(new UserError("UNAUTHENTICATED", "no such session"));
    if (token === "away") return Promise.reject(new UserError("SERVICE_UNAVAILABLE", "auth is away"));
    return Promise.resolve({ identity: "", userId: token, expiresAt: Infinity });
  }

  watch(token: string, onEnded: () => void) {
    const watches = this.watches.get(token) ?? new Set();
    this.watches.set(token, watches.add(onEnded));
    return () => {
      watches.delete(onEnded);
      if (watches.size === 0) this.watches.delete(token);
    };
  }
}

async function serve(): Promise<void> {
  const config = readConfig({ ...COMMON_SETTINGS, ...SOCKET_SETTINGS, ...GUARD_SETTINGS });
  const log = await startLog("gateway", { level: config.NOTIFYX_LOG_LEVEL, format: config.NOTIFYX_LOG_FORMAT });
  const sessions = new OpenSessions();
  const subscriptions = new Broadcast();
  let mutations = 0;
  const schema = makeExecutableSchema({
    typeDefs: SDL,
    resolvers: {
      Query: {
        hello: (_: unknown, { after }: { after: number }) => delay(after).then(() => "hello"),
        fails: () => {
          throw new Error("an inner secret");
        },
      },
      Mutation: { wait: (_: unknown, { ms }: { ms: number }) => delay(ms).then(() => ++mutations) },
      Subscription: { events: { subscribe: () => {} }, refused: { subscribe: () => {} } },
    },
  });
  const documents = new DocumentCache(schema);
  const app = new Hono();
  app.get("/publish", (c) => {
    const { from, to, bytes } = c.req.query();
    const only = bytes === undefined ? undefined : Number(bytes);
    for (let number = Number(from); number < Number(to); number++) subscriptions.publish(number, only);
    return c.text("");
  });
  app.get("/end", (c) => {
    for (const onEnded of [...sessions.watches.get(c.req.query("token")!) ?? []]) onEnded();
    return c.text("");
  });
  app.get("/metrics", async (c) => c.text(await registry.metrics()));
  app.get("/stats", async (c) => {
    for (let round = 0; round < 3; round++) {
      (globalThis as unknown as { gc(): void }).gc();
      await delay(10);
    }
    const { rss, heapUsed } = Deno.memoryUsage();
    const handles = [...Deno.readDirSync("/proc/self/fd")].length;
    const running = [...subscriptions.sinks.values()].reduce((sum, { size }) => sum + size, 0);
    return c.json({ rss, heapUsed, handles, running, mutations });
  });
  const stopMs = config.NOTIFYX_STOP_SECONDS * SECOND;
  const listen = listenWithSockets((server) =>
    serveSockets(server, {
      documents: () => documents,
      sessions: sessions as unknown as Sessions,
      subscriptions,
      origins: new Origins([], "NOTIFYX_ALLOWED_ORIGINS"),
      guards: new Guards(config),
      connections: new Connections(config, log),
      config,
      stopMs,
      log,
    })
  );
  const listener = await listen(app as unknown as App, "127.0.0.1", 0);
  Deno.addSignalListener("SIGTERM", async () => {
    await withTimeLimit("the drain", stopMs, listener.drain()).catch(() => console.log("cut off"));
    console.log(`mutations ${mutations}`);
    Deno.exit(0);
  });
  console.log(`port ${listener.port}`);
}

if (import.meta.main) await serve();
