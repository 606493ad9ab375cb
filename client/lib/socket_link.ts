/**
 * One WebSocket, by npm `graphql-ws`, that is opened again whenever it is lost: with waits that double, at once when the network is back,
 * and also when it died without a word. Each try is a graphql-ws client of its own, so nothing of one reaches the next.
 */

import { type Client, createClient } from "graphql-ws/client";
import type { NotifyxError } from "./errors.ts";
import type { Connection, Link, Operation, Sink } from "./link.ts";
import { Value } from "./observable.ts";
import { backoffMs, type Timing } from "./timing.ts";

export interface SocketLinkOptions {
  readonly url: string;
  readonly authorization: () => Promise<string | undefined>;
  readonly webSocketImpl: unknown;
  readonly timing: Timing;
}

/** Between one who listened and the next, in milliseconds: pages that are changed don't connect anew. */
export const LINGER_MS = 500;
/** The session is none, or has ended. */
const FORBIDDEN = 4403;
const PING = '{"type":"ping"}';
/** What says that now is a good moment to try, or to ask for a sign of life. */
const WAKING = ["online", "visibilitychange", "pageshow", "resume"];

type Lost = { readonly code?: number; readonly reason?: string; readonly message?: string };

export class SocketLink implements Link {
  readonly connection = new Value<Connection>({ state: "idle", since: Date.now() });
  #holds = 0;
  #client: Client | undefined;
  #socket: WebSocket | undefined;
  /** Of the one thing that is waited for: the end of a pause, an answer, the next ping. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  /** Whether a sign of life is waited for. */
  #isAsked = false;
  #failures = 0;
  #openedAt = 0;

  constructor(private readonly options: SocketLinkOptions) {}

  hold(): () => void {
    this.#holds++;
    clearTimeout(this.#lingering);
    if (this.connection.value.state === "idle") this.#begin();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#holds > 0 || this.#isOver) return;
      this.#lingering = setTimeout(() => this.#finish("idle"), LINGER_MS);
    };
  }

  run({ query, variables }: Operation, sink: Sink): () => void {
    const client = this.#client!;
    const ours = () => this.#client === client;
    return client.subscribe({ query, variables: { ...variables } }, {
      next: (result) => ours() && sink.next(result),
      // What is no list of errors is the end of the socket, of which all hear by the state.
      error: (errors) => ours() && Array.isArray(errors) && sink.error(errors),
      complete: () => ours() && sink.complete(),
    });
  }

  end(error: NotifyxError): void {
    if (!this.#isOver) this.#finish("ended", error.message);
  }

  close(): void {
    this.#finish("closed");
  }

  get #isOver(): boolean {
    return ["ended", "closed"].includes(this.connection.value.state);
  }

  #set(state: Connection["state"], reason?: string): void {
    const { value } = this.connection;
    this.connection.set({ state, since: value.state === state ? value.since : Date.now(), reason });
  }

  #after(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  #begin(): void {
    for (const type of WAKING) globalThis.addEventListener?.(type, this.#wake, true);
    globalThis.addEventListener?.("offline", this.#offline);
    this.#failures = 0;
    this.#set("connecting");
    void this.#connect();
  }

  async #connect(): Promise<void> {
    const { url, authorization, webSocketImpl, timing } = this.options;
    let client: Client | undefined;
    const fail = (lost: Lost) => this.#client === client && this.#fail(lost);
    this.#after(timing.limitMs, () => this.#fail({ message: `no connection within ${timing.limitMs} ms` }));
    const timer = this.#timer;
    try {
      const bearer = await authorization();
      // Meanwhile it took too long, or isn't wanted any more.
      if (timer !== this.#timer) return;
      this.#client = client = createClient({
        url,
        webSocketImpl,
        lazy: false,
        retryAttempts: 0,
        onNonLazyError() {},
        connectionParams: bearer ? { authorization: bearer } : undefined,
        on: {
          connected: (socket) => {
            if (this.#client !== client) return;
            this.#socket = socket as WebSocket;
            this.#openedAt = performance.now();
            this.#alive();
            this.#set("open");
          },
          message: () => this.#client === client && this.#socket && this.#alive(),
          closed: (event) => fail(event as Lost),
          error: (error) => fail(error as Lost),
        },
      });
    } catch (error) {
      if (timer === this.#timer) this.#fail(error as Error);
    }
  }

  /** Something came: for a while nothing has to. */
  #alive(): void {
    this.#isAsked = false;
    this.#after(this.options.timing.pingMs, this.#ping);
  }

  readonly #ping = () => {
    // Who wakes it again and again doesn't put off the end of that.
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#after(this.options.timing.limitMs, () => this.#fail({ message: "the connection went silent" }));
    this.#socket?.send(PING);
  };

  readonly #wake = () => {
    if (this.#socket) this.#ping();
    else if (!this.#client && this.connection.value.state === "lost") this.#again(0);
  };

  readonly #offline = () => this.connection.value.state !== "lost" && this.#fail({ message: "offline" });

  #fail({ code, reason, message }: Lost): void {
    const { retryMs } = this.options.timing;
    if (code === FORBIDDEN) return this.#finish("ended", "the session has ended");
    // One that is closed again and again right after it was opened isn't well.
    if (this.#socket && performance.now() - this.#openedAt > retryMs[1] / 2) this.#failures = 0;
    this.#drop();
    this.#set("lost", code ? `closed with ${code} ${reason}`.trim() : message || "it can't be reached");
    const network = globalThis.navigator as { readonly onLine?: boolean } | undefined;
    this.#again(network?.onLine === false ? retryMs[1] : backoffMs(this.#failures++, retryMs));
  }

  #again(ms: number): void {
    this.#after(ms, () => void this.#connect());
  }

  #drop(): void {
    const client = this.#client;
    const socket = this.#socket;
    this.#client = this.#socket = undefined;
    this.#isAsked = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    Promise.resolve(client?.dispose()).catch(() => {});
    socket?.close(1000);
    client?.terminate();
  }

  #finish(state: Connection["state"], reason?: string): void {
    for (const type of WAKING) globalThis.removeEventListener?.(type, this.#wake, true);
    globalThis.removeEventListener?.("offline", this.#offline);
    clearTimeout(this.#lingering);
    this.#drop();
    this.#set(state, reason);
  }
}
