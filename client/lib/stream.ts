/**
 * A subscription that lasts: what comes is handed to a loop, one by one, each once and in order, through lost connections. In: a link. Out:
 * an iterator. It goes on behind the last that came; the place is kept once the loop has had it, which it says by asking for the next.
 */

import { errorOf, type GraphQLErrorLike, isNoAnswer, type NotifyxError } from "./errors.ts";
import type { Connection, Link } from "./link.ts";
import { pauseMs, type Timing, type Waits } from "./timing.ts";

export interface StreamOptions<Item> {
  readonly link: Link;
  readonly timing: Timing;
  readonly waits: Waits;
  readonly query: string;
  readonly variables: object;
  /** The cursor to begin behind, and whether something may stand behind it already; tried again while it can't be had. */
  begin(signal: AbortSignal): Promise<{ readonly cursor: string | null | undefined; readonly isOld: boolean }>;
  keep(cursor: string): void | Promise<void>;
  /** The item of a result's data; undefined where it is missing. */
  read(data: { readonly item?: unknown }): Item | undefined;
  /** By which one that comes again is known; undefined is always new. */
  idOf(item: Item): string | undefined;
  /** Something behind `after` is gone, or it is none: called before what stands behind the cursor that it returns. */
  expired(after: string, oldestCursor: string | undefined, signal: AbortSignal): Promise<string | null | undefined>;
  /** It goes on behind `after`. Resolves with the id of what will be the last of the missed; undefined where nothing was. */
  newest?(after: string | undefined, signal: AbortSignal): Promise<string | undefined>;
  caughtUp?(count: number): void;
  onProblem(error: NotifyxError): void;
}

/** What may wait for a slow loop; beyond, the subscription pauses, and goes on behind the last of them. */
const MOST_WAITING = 1_000;
/** How many of the last ids are known, so that none comes twice. */
const MOST_KNOWN = 10_000;
/** How often a cursor may be refused until something comes: what is behind it is removed from the front meanwhile. */
const MOST_EXPIRIES = 5;

export function stream<Item extends { readonly cursor?: string | null }>(
  options: StreamOptions<Item>,
): AsyncIterableIterator<Item> {
  const one = new Stream(options);
  const items = one.items();
  // A generator takes its end only between two items; a loop may be left while it waits for one.
  return {
    next: () => items.next(),
    return: () => (one.leave(), items.return(undefined)),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

interface Catching {
  /** How many have come. */
  count: number;
  /** The id of what will be the last. */
  last?: string;
  timer?: ReturnType<typeof setTimeout>;
}

class Stream<Item extends { readonly cursor?: string | null }> {
  readonly #abort = new AbortController();
  readonly #waiting: Item[] = [];
  readonly #known = new Set<string>();
  #wake = () => {};
  #stop: (() => void) | undefined;
  #position: string | undefined;
  #error: NotifyxError | undefined;
  #failures = 0;
  #expiries = 0;
  /** False until it is known behind what to begin, and while that is asked for anew. */
  #isReady = false;
  /** Whether something may have been missed. */
  #isBehind = false;
  /** While what was missed comes. */
  #catching: Catching | undefined;

  constructor(private readonly options: StreamOptions<Item>) {}

  async *items(): AsyncGenerator<Item, undefined> {
    const { link, keep } = this.options;
    if (this.#ended) return;
    const release = link.hold();
    const unwatch = link.connection.subscribe((connection) => this.#onConnection(connection));
    try {
      await this.#begin();
      for (;;) {
        const item = this.#waiting.shift();
        if (item) {
          yield item;
          if (item.cursor) await keep(item.cursor);
        } else if (this.#ended) {
          if (this.#error) throw this.#error;
          return;
        } else {
          this.#run();
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      }
    } finally {
      this.leave();
      unwatch();
      release();
    }
  }

  async #begin(): Promise<void> {
    try {
      const { cursor, isOld } = await this.options.begin(this.#abort.signal);
      this.#position = cursor ?? undefined;
      this.#isBehind = isOld;
      this.#isReady = true;
    } catch (error) {
      // Left, or closed, while it was asked for.
      if (!this.#ended) throw error;
    }
  }

  get #ended(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Nobody wants more of it. */
  leave(): void {
    this.#waiting.length = 0;
    this.#end();
  }

  /** Once what waits has been had. */
  #end(error?: NotifyxError): void {
    if (this.#ended) return;
    this.#error = error;
    this.#abort.abort();
    clearTimeout(this.#catching?.timer);
    this.#pause();
    this.#wake();
  }

  #onConnection({ state, reason }: Connection): void {
    if (state === "open") this.#run();
    else {
      this.#pause();
      clearTimeout(this.#catching?.timer);
      this.#catching = undefined;
      this.#isBehind = true;
    }
    if (state === "closed") this.leave();
    if (state === "ended") this.#end(errorOf([{ message: reason!, extensions: { code: "UNAUTHENTICATED" } }]));
  }

  #pause(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #run(): void {
    const { link, query, variables, read } = this.options;
    const isOpen = link.connection.value.state === "open";
    if (this.#stop || !this.#isReady || !isOpen || this.#ended || this.#waiting.length >= MOST_WAITING) return;
    let runs = true;
    const stop = link.run({ query, variables: { ...variables, after: this.#position } }, {
      next: ({ data, errors }) => runs && this.#take(read((data ?? {}) as object), errors),
      error: (errors) => runs && void this.#failed(errorOf(errors)),
      complete: () => runs && this.#end(),
    });
    this.#stop = () => (runs = false, stop());
    if (this.#isBehind) void this.#catchUp();
  }

  #take(item: Item | undefined, errors: readonly GraphQLErrorLike[] = []): void {
    const { idOf } = this.options;
    // Its place isn't known: it comes again behind the last one.
    if (!item) return void this.#failed(errorOf(errors.length ? errors : [PASSED_OVER]));
    this.#failures = this.#expiries = 0;
    this.#position = item.cursor ?? this.#position;
    const id = idOf(item);
    if (id === undefined || !this.#known.has(id)) {
      if (id !== undefined) this.#known.add(id);
      if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.values().next().value!);
      this.#waiting.push(item);
      if (this.#catching) this.#catching.count++;
      this.#expectMore();
      if (this.#waiting.length >= MOST_WAITING) this.#pause();
      this.#wake();
    }
    if (this.#catching?.last && id === this.#catching.last) this.#caughtUp();
  }

  async #failed(error: NotifyxError): Promise<void> {
    const { link, timing, waits, expired } = this.options;
    const { signal } = this.#abort;
    this.#pause();
    // It stands for the subscription until there is another.
    const waiting = this.#stop = () => {};
    try {
      if (error.code === "UNAUTHENTICATED") return link.end(error);
      const { oldestCursor } = error.errors[0]?.extensions ?? {};
      const isExpired = error.code === "CURSOR_EXPIRED" || error.code === "BAD_USER_INPUT";
      if (isExpired && this.#position && this.#expiries++ < MOST_EXPIRIES) {
        this.#isReady = false;
        this.#position = await expired(this.#position, oldestCursor as string | undefined, signal) ?? undefined;
        this.#isReady = true;
      } else if (isNoAnswer(error)) {
        this.options.onProblem(error);
        await waits.wait(pauseMs(error, this.#failures++, timing), signal);
      } else return this.#end(error);
      if (this.#stop === waiting) this.#stop = undefined;
      this.#run();
    } catch (error) {
      this.#end(error as NotifyxError);
    }
  }

  async #catchUp(): Promise<void> {
    const { newest } = this.options;
    if (!newest || this.#catching) return;
    const catching: Catching = this.#catching = { count: 0 };
    const last = await newest(this.#position, this.#abort.signal).catch(() => undefined);
    if (this.#catching !== catching || this.#ended) return;
    if (last === undefined || this.#known.has(last)) return this.#caughtUp();
    catching.last = last;
    this.#expectMore();
  }

  /** What is said to be the last may have been taken back meanwhile: then the others are all. */
  #expectMore(): void {
    const catching = this.#catching;
    if (!catching?.last) return;
    clearTimeout(catching.timer);
    catching.timer = setTimeout(
      () => this.#waiting.length ? this.#expectMore() : this.#caughtUp(),
      this.options.timing.limitMs,
    );
  }

  #caughtUp(): void {
    const { count } = this.#catching!;
    clearTimeout(this.#catching!.timer);
    this.#catching = undefined;
    this.#isBehind = false;
    this.options.caughtUp?.(count);
  }
}

const PASSED_OVER = { message: "an event without its content", extensions: { code: "SERVICE_UNAVAILABLE" } };
