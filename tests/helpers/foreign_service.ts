/**
 * A service that nobody configured: any GraphQL server, whose URL is told to discovery by one PUT. It serves queries and mutations as JSON
 * and subscriptions as server-sent events, and its types can change while it runs.
 */

import { execute, type GraphQLSchema, parse, subscribe, validate } from "graphql";
import { delay } from "../../kit/time.ts";
import { askDiscovery } from "./instances.ts";
import type { System } from "./system.ts";

export class ForeignService implements AsyncDisposable {
  /** How many event streams are open. */
  streams = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #cut = new AbortController();
  readonly #renewing = new AbortController();
  #schemaHash: string | undefined;
  #isRegistered = false;
  /** What breaks off the event streams that are open. */
  readonly #streams = new Set<() => void>();

  constructor(private readonly system: System, readonly name: string, public schema: GraphQLSchema, port = 0) {
    const options = { hostname: "127.0.0.1", port, signal: this.#cut.signal, onListen() {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** One PUT, and again as its heartbeat. */
  async register(schemaHash?: string): Promise<void> {
    this.#schemaHash = schemaHash;
    await this.#put();
    if (!this.#isRegistered) void this.#renew();
    this.#isRegistered = true;
  }

  /** Has other types from now on, and says so. */
  async change(schema: GraphQLSchema): Promise<void> {
    this.schema = schema;
    await this.register(crypto.randomUUID());
  }

  /** Ends without a word, in the middle of whatever it says. */
  async kill(): Promise<void> {
    this.#renewing.abort();
    for (const end of this.#streams) end();
    this.#cut.abort();
    await this.#server.finished;
  }

  /** Leaves discovery and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#renewing.abort();
    await this.#ask("DELETE").catch(() => {});
    await Promise.race([this.#server.shutdown(), delay(200)]);
  }

  async #renew(): Promise<void> {
    while (!this.#renewing.signal.aborted) {
      await delay(3_000, this.#renewing.signal);
      if (!this.#renewing.signal.aborted) await this.#put().catch(() => {});
    }
  }

  #put(): Promise<void> {
    return this.#ask("PUT", {
      service: this.name,
      url: `http://127.0.0.1:${this.port}`,
      subgraph: true,
      schemaHash: this.#schemaHash,
    });
  }

  #ask(method: "PUT" | "DELETE", body?: unknown): Promise<void> {
    return askDiscovery(this.system, method, `${this.name}-${this.port}`, body);
  }

  async #answer(request: Request): Promise<Response> {
    const { query, variables, operationName } = await request.json().catch(() => ({}));
    if (query === undefined) return Response.json({ errors: [{ message: "no query" }] }, { status: 400 });
    const document = parse(query);
    const errors = validate(this.schema, document);
    if (errors.length > 0) return Response.json({ errors }, { status: 400 });
    const args = { schema: this.schema, document, variableValues: variables, operationName };
    if (!request.headers.get("accept")?.includes("text/event-stream")) return Response.json(await execute(args));
    const results = await subscribe(args);
    if (!(Symbol.asyncIterator in results)) return Response.json(results);
    this.streams++;
    const events = async function* () {
      yield ":\n\n";
      for await (const result of results) yield `event: next\ndata: ${JSON.stringify(result)}\n\n`;
      yield "event: complete\ndata:\n\n";
    };
    const iterator = events();
    const body = new ReadableStream<string>({
      start: (controller) => {
        this.#streams.add(() => {
          void results.return(undefined);
          controller.error(new Error("killed"));
        });
      },
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => {
        this.streams--;
        void results.return(undefined);
      },
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), {
      headers: { "content-type": "text/event-stream" },
    });
  }
}

/** What happens at a service, to all who subscribed. */
export class Happenings<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  happen(event: Event): void {
    for (const listener of this.#listeners) listener(event);
  }

  listen(): AsyncGenerator<Event> {
    const waiting: Event[] = [];
    let wake = () => {};
    let ended = false;
    const listener = (event: Event) => (waiting.push(event), wake());
    this.#listeners.add(listener);
    const end = () => {
      ended = true;
      this.#listeners.delete(listener);
      wake();
      return Promise.resolve({ done: true as const, value: undefined });
    };
    return {
      next: async () => {
        while (waiting.length === 0 && !ended) await new Promise<void>((resolve) => wake = resolve);
        return ended ? { done: true, value: undefined } : { done: false, value: waiting.shift()! };
      },
      return: end,
      throw: end,
      [Symbol.asyncIterator]() {
        return this;
      },
      [Symbol.asyncDispose]: async () => void await end(),
    };
  }
}
