/**
 * Clients of `notificationReceived` that go on whatever befalls them: each keeps its last cursor and, once it is cut off, subscribes again
 * behind it, at the other gateway. In: two gateways' URLs and a session. Out: the ids that came, in their order.
 */

import { createClient } from "graphql-ws";
import { delay, SECOND, TimeLimitError, withTimeLimit } from "../../kit/time.ts";
import { type Frame, Socket } from "../helpers/client.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import type { Random } from "../soak/random.ts";

const SUBSCRIPTION = `subscription ($topicId: ID, $after: String) {
  notificationReceived(topicId: $topicId, after: $after) { id cursor }
}`;
const OPEN_LIMIT_MS = 5 * SECOND;
/** The longest that a client stays away after a cut, in milliseconds. */
const AWAY_MS = 1.5 * SECOND;
/** An operation that ends with one of these is begun again. */
const AGAIN = new Set(["SERVICE_UNAVAILABLE", "TIMEOUT", "TOO_MANY_REQUESTS"]);

export interface ClientOptions {
  /** Of the gateways, to which it comes in turn. */
  readonly urls: readonly string[];
  readonly userId: string;
  readonly token: string;
  /** Null is all topics. */
  readonly topicId: string | null;
  readonly random: Random;
}

export abstract class Client {
  readonly received: string[] = [];
  /** How often it subscribed behind a cursor. */
  resumed = 0;
  /** What should never have been told. */
  readonly wrong: string[] = [];
  #cursor: string | null = null;
  #turn: number;

  constructor(readonly options: ClientOptions) {
    this.#turn = Math.floor(options.random.next() * 2);
  }

  /** Begins to receive; resolves once it was stopped. */
  abstract run(): Promise<void>;
  abstract stop(): void;
  /** Ends its connection without a word. */
  abstract cut(): void;

  protected nextUrl(): string {
    const { urls } = this.options;
    return `${urls[this.#turn++ % urls.length]}/graphql`;
  }

  /** Of each subscribe anew. */
  protected variables() {
    if (this.#cursor !== null) this.resumed++;
    return { topicId: this.options.topicId, after: this.#cursor };
  }

  protected away(): Promise<void> {
    return delay(this.options.random.next() ** 2 * AWAY_MS);
  }

  // deno-lint-ignore no-explicit-any -- a result of the subscription
  protected take({ data, errors }: any): void {
    if (errors !== undefined) return this.refused(errors);
    this.received.push(data.notificationReceived.id);
    this.#cursor = data.notificationReceived.cursor;
  }

  // deno-lint-ignore no-explicit-any -- errors as they come in a frame
  protected refused(errors: any): void {
    const code = errors?.[0]?.extensions?.code;
    if (!AGAIN.has(code)) this.wrong.push(JSON.stringify(errors));
  }
}

/** npm graphql-ws, with nothing but what its documentation says: `variables` with a getter, and which URL comes next. */
export class LibraryClient extends Client {
  readonly #client = createClient({
    url: () => this.nextUrl().replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${this.options.token}` },
    retryAttempts: Infinity,
    retryWait: () => this.away(),
    shouldRetry: () => true,
  });
  #stopped = false;
  #unsubscribe = () => {};

  async run(): Promise<void> {
    const variables = () => this.variables();
    while (!this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#unsubscribe = this.#client.subscribe({
          query: SUBSCRIPTION,
          get variables() {
            return variables();
          },
        }, {
          next: (result) => this.take(result),
          error: (errors) => (this.refused(errors), resolve()),
          complete: resolve,
        });
      });
      if (!this.#stopped) await this.away();
    }
    await this.#client.dispose();
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
  }

  cut(): void {
    this.#client.terminate();
  }
}

/** What a connection of the two kinds below has in common. */
interface Connection extends Disposable {
  send(frame: unknown): void;
  readonly closed: Promise<unknown>;
}
type Open = (url: string, token: string, onFrame: (frame: Frame) => void) => Promise<Connection>;

/** A WebSocket that is closed, as when a page is left. */
export const openSocket: Open = async (url, token, onFrame) => {
  const socket = await Socket.open(url, { authorization: `Bearer ${token}` });
  socket.raw.addEventListener("message", ({ data }) => onFrame(JSON.parse(data)));
  return socket;
};

/** A connection that just ends, as when a cable is pulled. */
export const openRaw: Open = async (url, token, onFrame) => {
  const socket = await RawSocket.open(url, token);
  socket.onText = (text) => onFrame(JSON.parse(text));
  return {
    send: (frame) => void socket.send(frame),
    closed: socket.closed,
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
};

/** Speaks graphql-transport-ws by hand. */
export class RawClient extends Client {
  #cut = () => {};
  #stopped = false;
  readonly #gone = Promise.withResolvers<void>();

  constructor(options: ClientOptions, private readonly open: Open) {
    super(options);
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#connect();
      } catch {
        // There is nobody just now.
      }
      if (!this.#stopped) await this.away();
    }
  }

  async #connect(): Promise<void> {
    const over = Promise.withResolvers<void>();
    let isCurrent = true;
    const onFrame = ({ type, payload }: Frame) => {
      // What comes after the cut is lost, as it would be.
      if (!isCurrent) return;
      if (type === "next") return this.take(payload);
      if (type === "error") this.refused(payload);
      if (type === "error" || type === "complete") over.resolve();
    };
    const opening = this.open(this.nextUrl(), this.options.token, onFrame);
    using connection = await withTimeLimit("the socket", OPEN_LIMIT_MS, opening).catch((error) => {
      if (error instanceof TimeLimitError) opening.then((late) => late[Symbol.dispose](), () => {});
      throw error;
    });
    this.#cut = over.resolve;
    connection.send({ id: "1", type: "subscribe", payload: { query: SUBSCRIPTION, variables: this.variables() } });
    await Promise.race([connection.closed, over.promise, this.#gone.promise]);
    isCurrent = false;
  }

  stop(): void {
    this.#stopped = true;
    this.#gone.resolve();
  }

  cut(): void {
    this.#cut();
  }
}
