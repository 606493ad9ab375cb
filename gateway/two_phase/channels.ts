/**
 * Calls to participants: on an open channel where the instance has one (`kit/participant/channel.ts` says why), by HTTP else. In: a route of
 * the contract with its body. Out: its status and answer, the same either way.
 */

import { WebSocket } from "ws";
import { call, type CallAnswer } from "../../kit/call.ts";
import type { Instance } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import { MINUTE, SECOND } from "../../kit/time.ts";

const ROUTES = {
  prepare: { method: "POST", path: "/api/prepare_2pc" },
  commit: { method: "POST", path: "/api/commit_2pc" },
  rollback: { method: "DELETE", path: "/api/rollback_2pc" },
} as const;
export type CallName = keyof typeof ROUTES;

/** How long an opening channel may take, and how long an instance that refused one isn't asked again, in milliseconds. */
const OPEN_LIMIT_MS = 2 * SECOND;
const REFUSED_FOR_MS = MINUTE;
/** How many channels there may be; more instances are called by HTTP. */
const MOST_CHANNELS = 1_000;

export class Channels {
  /** By the id of the instance; one that isn't open is opening still, or was refused a while ago. */
  readonly #channels = new Map<string, Channel>();

  constructor(private readonly secret: string) {}

  /**
   * `traceparent` is that of a call which is traced.
   * @throws UserError `TIMEOUT` after `limitMs`, `SERVICE_UNAVAILABLE` when there is no answer
   */
  ask(
    instance: Instance,
    name: CallName,
    body: unknown,
    limitMs: number,
    traceparent?: string,
  ): Promise<CallAnswer> {
    const channel = this.#channels.get(instance.id) ?? this.#open(instance);
    if (channel?.isOpen) return channel.ask(name, body, limitMs, traceparent);
    const { method, path } = ROUTES[name];
    const headers = traceparent === undefined ? undefined : { traceparent };
    return call(instance.url + path, { method, body, secret: this.secret, limitMs, headers });
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
  }

  #open({ id, url }: Instance): Channel | undefined {
    if (this.#channels.size >= MOST_CHANNELS) return undefined;
    const channel = new Channel(url, this.secret, (wasOpen) => {
      if (wasOpen) return this.#channels.delete(id);
      // A participant that has no channels is not asked for one at every call.
      setTimeout(() => this.#channels.delete(id), REFUSED_FOR_MS);
    });
    this.#channels.set(id, channel);
    return channel;
  }
}

interface Waiting {
  readonly resolve: (answer: CallAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** In milliseconds since 1970. */
  readonly giveUpAt: number;
}

/** How often a channel looks for calls that took too long, in milliseconds: a timer for each call would cost as much as its frame. */
const LOOK_EVERY_MS = 50;

class Channel {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #looking: ReturnType<typeof setInterval> | undefined;
  #lastId = 0;
  #wasOpen = false;

  constructor(url: string, secret: string, onEnd: (wasOpen: boolean) => void) {
    // npm `ws` and not Deno's own client, which leaves Nagle's algorithm on: a second call waits up to 40 ms for the first one's ACK.
    this.#socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/channel_2pc`, {
      headers: { authorization: `Bearer ${secret}` },
      perMessageDeflate: false,
    });
    const timer = setTimeout(() => this.close(), OPEN_LIMIT_MS);
    this.#socket.onopen = () => {
      clearTimeout(timer);
      this.#wasOpen = true;
    };
    this.#socket.onerror = () => {};
    this.#socket.onclose = () => {
      clearTimeout(timer);
      this.#stopLooking();
      for (const { reject } of this.#waiting.values()) {
        reject(new UserError("SERVICE_UNAVAILABLE", "a participant is away just now"));
      }
      this.#waiting.clear();
      onEnd(this.#wasOpen);
    };
    this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  ask(name: CallName, body: unknown, limitMs: number, traceparent?: string): Promise<CallAnswer> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, giveUpAt: Date.now() + limitMs });
      this.#looking ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
      this.#socket.send(JSON.stringify({ id, call: name, body, traceparent }));
    });
  }

  /** Gives up on calls whose time is over; with none left it stops looking. */
  #look(): void {
    const now = Date.now();
    for (const [id, { reject, giveUpAt }] of this.#waiting) {
      if (giveUpAt > now) continue;
      this.#waiting.delete(id);
      reject(new UserError("TIMEOUT", "a participant took too long to answer"));
    }
    if (this.#waiting.size === 0) this.#stopLooking();
  }

  #stopLooking(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  close(): void {
    try {
      this.#socket.close();
    } catch {
      // It never opened.
    }
  }

  #take({ id, status, body }: CallAnswer & { id: number }): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.resolve({ status, body });
  }
}
