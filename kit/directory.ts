/**
 * What discovery knows, as this process last heard it: the live instances of each service.
 *
 * Follows discovery's watch stream (`GET /api/watch`): the event `view` brings everything, `up` an instance that is new or has changed,
 * `gone` one that left, or whose lease expired. While discovery is away the last view stands; after it is back, what it doesn't name yet is
 * kept for as long as a heartbeat may take, since a discovery that has just started knows nobody. What vanishes without having left is
 * asked itself (vanished.ts). A process that starts while discovery is away takes those of its copy (directory_copy.ts) that answer.
 */

import { EventEmitter } from "node:events";
import * as v from "valibot";
import type { DirectoryCopy } from "./directory_copy.ts";
import { isLive, liveAmong } from "./liveness.ts";
import type { Logger } from "./log.ts";
import { backoffMs, delay, SECOND } from "./time.ts";
import { Vanished } from "./vanished.ts";

export const INSTANCE = v.object({
  id: v.string(),
  service: v.string(),
  url: v.string(),
  participates: v.optional(v.array(v.string()), []),
  subgraph: v.optional(v.boolean(), false),
  schemaHash: v.optional(v.string()),
  version: v.optional(v.string()),
  metrics: v.optional(v.boolean()),
  startedAt: v.string(),
  lastHeartbeatAt: v.string(),
});
/**
 * One running process of a service; times are RFC 3339, `url` is the base of its routes without a slash at the end. Instances of a service
 * with the same `schemaHash` have the same GraphQL types; `version` is for people; with `metrics` it serves `/metrics` for Prometheus.
 */
export type Instance = Readonly<v.InferOutput<typeof INSTANCE>>;

const NONE: readonly Instance[] = [];

const VIEW = v.object({ services: v.array(v.object({ name: v.string(), instances: v.array(INSTANCE) })) });
const GONE = v.object({ id: v.string(), expired: v.optional(v.boolean(), false) });

/** How long an instance that a new view doesn't name is kept, in milliseconds: the TTL of discovery. */
const KEEP_MS = 10 * SECOND;
/** Discovery sends a comment each 3 s; a stream that says nothing for this long is dead, in milliseconds. */
const SILENCE_LIMIT_MS = 10 * SECOND;

/** How long a process that starts waits for discovery before it looks at its copy, in milliseconds. */
const COPY_AFTER_MS = SECOND;

/** How long discovery may take to say when it last heard of whom, in milliseconds. */
const HEARD_LIMIT_MS = SECOND;

export interface DirectoryOptions {
  /** Where the last view is kept for the next start; nowhere by default. */
  readonly copy?: DirectoryCopy;
  /** How an instance is asked for a sign of life; default `GET /health/live`. */
  readonly isLive?: (instance: Instance) => Promise<boolean>;
}

export class Directory {
  readonly #instances = new Map<string, Instance>();
  #byService: Map<string, readonly Instance[]> | undefined;
  readonly #missingSince = new Map<string, number>();
  readonly #changes = new EventEmitter();
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #known = false;
  /** The discovery that is followed. */
  #url: string;
  readonly #copy: DirectoryCopy | undefined;
  readonly #isLive: (instance: Instance) => Promise<boolean>;
  readonly #vanished: Vanished;

  constructor(private readonly urls: readonly string[], private readonly log: Logger, options: DirectoryOptions = {}) {
    this.#changes.setMaxListeners(100);
    this.#url = urls[0]!;
    this.#copy = options.copy;
    this.#isLive = options.isLive ?? isLive;
    this.#vanished = new Vanished({
      isLive: this.#isLive,
      instances: (service) => this.instances(service),
      drop: (gone) => {
        for (const { id } of gone) this.#instances.delete(id);
        this.#changed();
      },
      log,
      signal: this.#abort.signal,
    });
  }

  /** Whether a view has been received at all. */
  get known(): boolean {
    return this.#known;
  }

  /** The live instances of `service`, in a stable order; the same list until something changes. */
  instances(service: string): readonly Instance[] {
    this.#byService ??= Map.groupBy(this.#instances.values(), (one) => one.service);
    return this.#byService.get(service) ?? NONE;
  }

  /** Every live instance. */
  all(): Instance[] {
    return [...this.#instances.values()];
  }

  /** As {@link all}, with the last heartbeats as discovery has them now: its stream tells none. While it is away, those of its last view. */
  async allAsHeard(): Promise<Instance[]> {
    const heard = new Map<string, string>();
    try {
      const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(HEARD_LIMIT_MS)]);
      const response = await fetch(`${this.#url}/api/services`, { signal });
      const { services } = v.parse(VIEW, await response.json());
      for (const { instances } of services) for (const one of instances) heard.set(one.id, one.lastHeartbeatAt);
    } catch {
      // What follows the stream tells that it is away.
    }
    return this.all().map((one) => ({ ...one, lastHeartbeatAt: heard.get(one.id) ?? one.lastHeartbeatAt }));
  }

  /** Calls `listener` after each change; the answer ends that. */
  onChange(listener: () => void): () => void {
    this.#changes.on("change", listener);
    return () => this.#changes.off("change", listener);
  }

  start(): void {
    this.#running ??= Promise.all([this.#follow(), this.#startFromCopy()]).then(() => {});
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all([this.#running, this.#vanished.stop(), this.#copy?.stop()]);
  }

  async #startFromCopy(): Promise<void> {
    if (this.#copy === undefined) return;
    await delay(COPY_AFTER_MS, this.#abort.signal);
    if (this.#known || this.#abort.signal.aborted) return;
    const copied = await this.#copy.read();
    const live = await liveAmong(copied, this.#isLive, this.#abort.signal);
    if (this.#known || this.#abort.signal.aborted) return;
    // Whether they still take part in anything discovery has to say: who once did is required from then on.
    for (const one of live) this.#set({ ...one, participates: [] });
    this.log.info("discovery is away: of {all} instances in the copy of the directory {live} answer", {
      all: copied.length,
      live: live.length,
    });
    this.#changed();
  }

  async #follow(): Promise<void> {
    for (let attempt = 0; !this.#abort.signal.aborted; attempt++) {
      const url = this.#url = this.urls[attempt % this.urls.length]!;
      const began = Date.now();
      try {
        await this.#watch(url);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        if (attempt === this.urls.length) {
          this.log.warning("discovery is away; its last view stands: {error}", { error: reason(error) });
        }
      }
      if (Date.now() - began > SILENCE_LIMIT_MS) attempt = 0;
      await delay(backoffMs(Math.floor(attempt / this.urls.length), 100, 2 * SECOND), this.#abort.signal);
    }
  }

  async #watch(url: string): Promise<void> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
    const sweep = setInterval(() => this.#dropMissing(), SECOND);
    try {
      const signal = AbortSignal.any([this.#abort.signal, silence.signal]);
      const response = await fetch(`${url}/api/watch`, { headers: { accept: "text/event-stream" }, signal });
      if (!response.ok || response.body === null) throw new Error(`${response.status} from discovery`);
      for await (const { event, data } of readEvents(response.body, signal)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
        if (event !== "") this.#apply(event, JSON.parse(data));
        this.#copy?.heard(() => this.all(), event !== "");
      }
    } finally {
      clearTimeout(timer);
      clearInterval(sweep);
    }
  }

  #apply(event: string, data: unknown): void {
    if (event === "view") {
      const named = v.parse(VIEW, data).services.flatMap((service) => service.instances);
      const ids = new Set(named.map((instance) => instance.id));
      for (const id of this.#instances.keys()) {
        if (ids.has(id) || this.#missingSince.has(id) || this.#vanished.has(id)) continue;
        this.#missingSince.set(id, Date.now());
      }
      for (const instance of named) this.#set(instance);
      this.#known = true;
    } else if (event === "up") {
      this.#set(v.parse(INSTANCE, data));
    } else if (event === "gone") {
      const { id, expired } = v.parse(GONE, data);
      this.#missingSince.delete(id);
      const instance = this.#instances.get(id);
      if (expired && instance !== undefined) this.#vanished.add(instance);
      else this.#delete(id);
    } else return;
    this.#changed();
  }

  #set(instance: Instance): void {
    this.#missingSince.delete(instance.id);
    this.#vanished.delete(instance.id);
    // A process that came back on the same address has a new id: the one before it is dead, whatever its lease says.
    for (const [id, other] of this.#instances) {
      if (
        id !== instance.id && other.url === instance.url && other.service === instance.service &&
        other.startedAt <= instance.startedAt
      ) {
        this.#delete(id);
      }
    }
    this.#instances.set(instance.id, instance);
  }

  #delete(id: string): void {
    this.#instances.delete(id);
    this.#missingSince.delete(id);
    this.#vanished.delete(id);
  }

  #changed(): void {
    this.#byService = undefined;
    this.#changes.emit("change");
  }

  #dropMissing(): void {
    for (const [id, since] of this.#missingSince) {
      if (Date.now() - since < KEEP_MS) continue;
      this.#missingSince.delete(id);
      this.#vanished.add(this.#instances.get(id)!);
    }
  }
}

/** Server-sent events of a body; a comment comes as an event with an empty name. An event is at most 4 MiB. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<{ event: string; data: string }> {
  const decoder = new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>;
  let rest = "";
  // The signal is given here too: on Deno 2.9 that of a fetch has no effect any more once its Response was collected.
  for await (const chunk of body.pipeThrough(decoder, { signal })) {
    rest += chunk;
    if (rest.length > 4 * 1024 * 1024) throw new Error("an event is over 4 MiB");
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 2);
      const field = (name: string) =>
        lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
      yield { event: field("event")[0] ?? "", data: field("data").join("\n") };
    }
  }
}

/** The reason of an error in one line, for a log. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
