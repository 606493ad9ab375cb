/**
 * One socket for all tabs of a user. A Web Lock says which tab has it; the others have their operations run there, over a BroadcastChannel.
 * When the tab that leads is gone, the browser gives its lock to another, and every tab goes on behind its own last cursor: so nothing
 * that passes between tabs has to be right for nothing to be missed or to come twice.
 *
 * Each tab holds a lock of its own as well, by which the leader learns that it is gone. A leader that is frozen keeps its lock and answers
 * nothing: it is taken from it.
 */

import type { NotifyxError } from "./errors.ts";
import type { Connection, Link, Operation, Sink } from "./link.ts";
import { Value } from "./observable.ts";
import { newKey } from "./options.ts";
import { LINGER_MS, type SocketLink } from "./socket_link.ts";
import type { Timing } from "./timing.ts";

/** What tabs say to one another; a key names an operation of the tab `from`. */
type Message =
  | { readonly type: "who"; readonly from: string }
  | { readonly type: "leader"; readonly from: string; readonly connection: Connection }
  | { readonly type: "run"; readonly from: string; readonly key: string; readonly operation: Operation }
  | { readonly type: "stop"; readonly from: string; readonly key: string }
  | { readonly type: keyof Sink; readonly key: string; readonly payload?: unknown }
  | { readonly type: "shared"; readonly event: unknown };

export interface TabLinkOptions {
  /** The same in all tabs that share. */
  readonly name: Promise<string>;
  readonly timing: Timing;
  readonly socket: () => SocketLink;
  readonly onShared: (event: unknown) => void;
}

export class TabLink implements Link {
  readonly connection = new Value<Connection>({ state: "idle", since: Date.now() });
  readonly #id = newKey();
  readonly #ready: Promise<void>;
  #name = "";
  #channel: BroadcastChannel | undefined;
  #holds = 0;
  #keys = 0;
  #leader: string | undefined;
  /** Of operations that run in the tab that leads. */
  readonly #sinks = new Map<string, Sink>();
  /** Where this tab leads: how to stop what runs here for others, by tab and key. */
  readonly #others = new Map<string, Map<string, () => void>>();
  #socket: SocketLink | undefined;
  /** Aborts when this tab leaves, and when it stops waiting for the lead or loses it. */
  #joined: AbortController | undefined;
  #round: AbortController | undefined;
  /** Of the leader's sign of life. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: TabLinkOptions) {
    this.#ready = options.name.then((name) => {
      if (this.#isOver) return;
      this.#name = name;
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
    });
  }

  hold(): () => void {
    this.#holds++;
    clearTimeout(this.#lingering);
    if (this.connection.value.state === "idle") void this.#join();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#holds === 0 && !this.#isOver) this.#lingering = setTimeout(() => this.#leave("idle"), LINGER_MS);
    };
  }

  run(operation: Operation, sink: Sink): () => void {
    if (this.#socket) return this.#socket.run(operation, sink);
    const key = `${this.#id} ${this.#keys++}`;
    this.#sinks.set(key, sink);
    this.#say({ type: "run", from: this.#id, key, operation });
    return () => this.#sinks.delete(key) && this.#say({ type: "stop", from: this.#id, key });
  }

  /** Tells the other tabs. */
  share(event: unknown): void {
    this.#say({ type: "shared", event });
  }

  end(error: NotifyxError): void {
    if (!this.#isOver) this.#leave("ended", error.message);
  }

  close(): void {
    this.#leave("closed");
    this.#channel?.close();
  }

  get #isOver(): boolean {
    return ["ended", "closed"].includes(this.connection.value.state);
  }

  #say(message: Message): void {
    this.#channel?.postMessage(message);
  }

  async #join(): Promise<void> {
    const { signal } = this.#joined = new AbortController();
    this.connection.set({ state: "connecting", since: Date.now() });
    await this.#ready;
    await new Promise<void>((held) => {
      lock(`${this.#name} ${this.#id}`, { signal }, () => (held(), aborted(signal)));
      signal.addEventListener("abort", () => held());
    });
    if (signal.aborted) return;
    this.#ask();
    this.#compete(signal);
  }

  #leave(state: Connection["state"], reason?: string): void {
    clearTimeout(this.#lingering);
    this.#joined?.abort();
    this.#resign();
    this.connection.set({ state, since: Date.now(), reason });
  }

  /** Waits for the lead, or takes it. */
  #compete(joined: AbortSignal, steal = false): void {
    this.#round?.abort();
    const round = this.#round = new AbortController();
    const { signal } = round;
    joined.addEventListener("abort", () => round.abort(), { signal });
    lock(this.#name, steal ? { steal } : { signal }, () => {
      if (signal.aborted) return;
      this.#lead(signal);
      return aborted(signal);
    }).then((wasTaken) => {
      if (!wasTaken || this.#round !== round) return;
      // Another tab took it, since this one was frozen.
      this.#resign();
      if (joined.aborted) return;
      this.#ask();
      this.#compete(joined);
    });
  }

  #lead(signal: AbortSignal): void {
    clearTimeout(this.#timer);
    this.#follow(this.#id);
    const socket = this.#socket = this.options.socket();
    socket.connection.subscribe((connection) => {
      if (this.#socket !== socket || connection.state === "idle") return;
      if (connection.state !== "open") { for (const stops of this.#others.values()) stops.clear(); }
      this.#say({ type: "leader", from: this.#id, connection });
      this.#take(connection);
    });
    socket.hold();
    signal.addEventListener("abort", () => socket.close());
  }

  /** Neither leads nor follows, and waits for nothing. */
  #resign(): void {
    this.#socket = this.#leader = undefined;
    this.#others.clear();
    this.#sinks.clear();
    clearTimeout(this.#timer);
    this.#round?.abort();
  }

  /** What ran where the last one led runs no more. */
  #follow(leader: string): void {
    if (this.#leader === leader) return;
    this.#leader = leader;
    this.#sinks.clear();
    if (this.connection.value.state === "open") this.#take({ state: "lost", since: Date.now(), reason: "taken over" });
  }

  /** The state of the leader's connection is this one's. */
  #take(connection: Connection): void {
    const { value } = this.connection;
    if (connection.state === "ended") return this.#leave("ended", connection.reason);
    if (connection.state === "closed") return;
    if (connection.state !== "open") this.#sinks.clear();
    // The first try of a new leader is another try for this one.
    const state = connection.state === "connecting" && value.state === "lost" ? "lost" : connection.state;
    // A sign of life says the same again.
    if (state === value.state && connection.reason === value.reason) return;
    this.connection.set({ ...connection, state, since: state === value.state ? value.since : Date.now() });
  }

  /** Asks the leader for a sign of life, and takes the lead where there is none. */
  #ask(): void {
    this.#say({ type: "who", from: this.#id });
    this.#after(this.options.timing.limitMs, () => this.#joined && this.#compete(this.#joined.signal, true));
  }

  #after(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  #hear(message: Message): void {
    if (message.type === "shared") return this.options.onShared(message.event);
    if (!this.#joined || this.#joined.signal.aborted) return;
    if ("from" in message) return this.#socket ? this.#serve(message, this.#socket) : this.#heed(message);
    const sink = this.#sinks.get(message.key);
    if (message.type !== "next") this.#sinks.delete(message.key);
    sink?.[message.type](message.payload as never);
  }

  /** As one that follows. */
  #heed(message: Message): void {
    if (message.type !== "leader") return;
    this.#follow(message.from);
    this.#after(this.options.timing.pingMs, () => this.#ask());
    this.#take(message.connection);
  }

  /** As the leader. */
  #serve(message: Extract<Message, { from: string }>, socket: SocketLink): void {
    const connection = socket.connection.value;
    if (message.type === "leader") return;
    if (message.type === "who") return this.#say({ type: "leader", from: this.#id, connection });
    const { from, key } = message;
    const stops = this.#stopsOf(from);
    stops.get(key)?.();
    stops.delete(key);
    if (message.type === "stop" || connection.state !== "open") return;
    const pass = (type: keyof Sink) => (payload?: unknown) => {
      if (type !== "next") stops.delete(key);
      this.#say({ type, key, payload });
    };
    stops.set(
      key,
      socket.run(message.operation, { next: pass("next"), error: pass("error"), complete: pass("complete") }),
    );
  }

  #stopsOf(tab: string): Map<string, () => void> {
    let stops = this.#others.get(tab);
    if (!stops) {
      this.#others.set(tab, stops = new Map());
      const own = stops;
      // Held until the tab leaves or is gone.
      lock(`${this.#name} ${tab}`, { signal: this.#round!.signal }, () => {
        for (const stop of own.values()) stop();
        if (this.#others.get(tab) === own) this.#others.delete(tab);
      });
    }
    return stops;
  }
}

/** As much of Web Locks as is used: not all runtimes have them, nor their types. */
interface Locks {
  request(name: string, options: LockOptions, held: () => Promise<void> | void): Promise<unknown>;
}
type LockOptions = { readonly signal: AbortSignal } | { readonly steal: boolean };

function locks(): Locks | undefined {
  return (globalThis.navigator as { readonly locks?: Locks } | undefined)?.locks;
}

export const canShare = () => Boolean(locks() && globalThis.BroadcastChannel);

/** Resolves when the lock was given back, with whether it was taken away or not waited for any more. */
function lock(name: string, options: LockOptions, held: () => Promise<void> | void): Promise<boolean> {
  return locks()!.request(name, options, held).then(() => false, () => true);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve()));
}
