/** Everything that a user of Notifyx receives and does, over one socket and HTTP. */

import { type CursorStore, cursorStore } from "./cursors.ts";
import * as documents from "./documents.ts";
import { closed, isNoAnswer, NotifyxError } from "./errors.ts";
import { Http } from "./http.ts";
import type { Notifyx, NotifyxEvents, SendOptions } from "./interface.ts";
import type { Connection, Link } from "./link.ts";
import { Emitter, type Observable, Value } from "./observable.ts";
import { authorizationOf, newKey, type NotifyxOptions, tabsName, urlsOf } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { SocketLink } from "./socket_link.ts";
import { stream, type StreamOptions } from "./stream.ts";
import { canShare, TabLink } from "./tab_link.ts";
import { TIMING, untilDone, Waits } from "./timing.ts";
import type { InboxFilter, Notification, Page, Receipt, Topic, TopicFilter } from "./types.ts";

/** How many notifications one acknowledgement may name. */
const MOST_IDS = 1_000;

/** @throws TypeError where `url` is none, or something that isn't here has to be given */
export function createNotifyx(options: NotifyxOptions): Notifyx {
  return new Client(options);
}

interface Edges<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

class Client implements Notifyx {
  readonly unseen: Value<number | undefined>;
  readonly sending: Observable<number>;
  readonly connection: Observable<Connection>;
  readonly #events = new Emitter<NotifyxEvents>();
  readonly #closed = new AbortController();
  /** With the session, or by `close()`: what waits is given up. */
  readonly #over = new AbortController();
  readonly #waits = new Waits();
  readonly #timing;
  readonly #url: string;
  readonly #http: Http;
  readonly #link: Link;
  readonly #cursors: CursorStore;
  readonly #sends: Outbox;
  readonly #acknowledgements: Outbox;
  #counts: AsyncIterator<unknown> | undefined;

  constructor(options: NotifyxOptions) {
    const { queue = 1_000, webSocketImpl = globalThis.WebSocket } = options;
    if (!webSocketImpl) throw new TypeError("webSocketImpl: there is no WebSocket here; npm ws has one");
    const urls = urlsOf(options.url);
    this.#url = urls.http;
    this.#timing = { ...TIMING, ...options.timing };
    const timing = this.#timing;
    const authorization = () => authorizationOf(options.token, timing.limitMs);
    this.#http = new Http({
      url: urls.http,
      authorization,
      // The browser's own has to be called as the window's.
      fetch: options.fetch ?? ((...request) => fetch(...request)),
      limitMs: timing.limitMs,
      signal: this.#closed.signal,
      onProblem: this.#onProblem,
    });
    const socket = () => new SocketLink({ url: urls.ws, authorization, webSocketImpl, timing });
    this.#link = options.tabs && canShare()
      ? new TabLink({ name: tabsName(urls.ws, options), timing, socket, onShared: this.#onSeen })
      : socket();
    this.connection = this.#link.connection;
    this.#cursors = cursorStore(options.cursor);
    this.#sends = new Outbox(timing, this.#waits, queue, this.#over.signal);
    this.#acknowledgements = new Outbox(timing, this.#waits, queue, this.#over.signal);
    this.sending = this.#sends.waiting;
    this.unseen = new Value<number | undefined>(undefined, (used) => used ? this.#count() : this.#counts?.return?.());
    this.connection.subscribe(({ state, reason }) => {
      if (state === "open") this.#waits.end();
      if (state !== "ended" || this.#over.signal.aborted) return;
      const error = new NotifyxError("UNAUTHENTICATED", reason!);
      this.#over.abort(error);
      this.#events.emit("sessionEnded", error);
    });
  }

  notifications({ after, topicId }: { readonly after?: string; readonly topicId?: string } = {}) {
    const inbox = (first: number) => this.inbox({ topicId, first });
    return this.#stream<Notification>({
      query: documents.RECEIVED,
      variables: { topicId },
      begin: async (signal) => {
        const kept = after ?? await this.#cursors.load(topicId);
        if (kept) return { cursor: kept, isOld: true };
        const cursor = await this.#now(signal);
        // From now on nothing is missed, also where nothing arrives until the next start.
        if (cursor) await this.#keep(cursor, topicId);
        return { cursor, isOld: false };
      },
      keep: (cursor) => this.#keep(cursor, topicId),
      idOf: ({ id }) => id,
      expired: async (after, oldestCursor, signal) => {
        const { items } = await this.#untilDone(() => inbox(50), signal);
        const cursor = oldestCursor ?? await this.#now(signal);
        this.#events.emit("cursorExpired", { after, oldestCursor: cursor, topicId, inbox: items });
        return cursor;
      },
      newest: async (after, signal) => {
        // A gateway that comes back need not be asked by all for what nobody wants to know.
        if (!this.#events.isHeard("caughtUp")) return undefined;
        const { items: [newest] } = await this.#untilDone(() => inbox(1), signal);
        return newest?.cursor === after ? undefined : newest?.id;
      },
      caughtUp: (count) => this.#events.emit("caughtUp", { count, topicId }),
    });
  }

  receipts(topicId: string, { after }: { readonly after?: string } = {}) {
    return this.#stream<Receipt>({
      query: documents.RECEIPTS,
      variables: { topicId },
      begin: async (signal) => ({ cursor: after ?? await this.#now(signal), isOld: false }),
      idOf: ({ cursor }) => cursor,
    });
  }

  async send(
    topicId: string,
    message: string,
    { to = [], idempotencyKey = newKey(), since }: SendOptions = {},
  ): Promise<Notification> {
    const variables = { topicId, message, to, idempotencyKey };
    const { done } = await this.#sends.add(() => this.#ask<{ done: Notification }>(documents.SEND, variables), since);
    return done;
  }

  async acknowledge(given: string | readonly string[]): Promise<void> {
    const all = typeof given === "string" ? [given] : given;
    for (let first = 0; first < all.length; first += MOST_IDS) {
      const ids = all.slice(first, first + MOST_IDS);
      await this.#acknowledgements.add(() => this.#ask(documents.ACKNOWLEDGE, { ids }));
      this.#seen({ ids });
    }
  }

  async acknowledgeAll(which: { readonly topicId?: string; readonly upTo?: string } = {}): Promise<number> {
    const attempt = () => this.#ask<{ done: number }>(documents.ACKNOWLEDGE_ALL, which);
    const { done } = await (which.upTo ? this.#acknowledgements.add(attempt) : attempt());
    this.#seen(which);
    return done;
  }

  inbox(filter: InboxFilter = {}): Promise<Page<Notification>> {
    return this.#page(documents.INBOX, filter);
  }

  topics(filter: TopicFilter = {}): Promise<Page<Topic>> {
    return this.#page(documents.TOPICS, filter);
  }

  query<Data>(document: string, variables?: object, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Data> {
    return this.#http.ask(document, variables, signal);
  }

  picture(userId: string, { size = 128, style = "GITHUB" }: { readonly size?: number; readonly style?: string } = {}) {
    // Beside the API, on the same gateway.
    return new URL(`avatars/${encodeURIComponent(userId)}.png?size=${size}&style=${style}`, this.#url).href;
  }

  on<Name extends keyof NotifyxEvents>(name: Name, listener: (event: NotifyxEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#over.abort(closed());
    this.#link.close();
  }

  readonly #onSeen = (event: unknown) => this.#events.emit("seen", event as NotifyxEvents["seen"]);

  /** Here, and in the other tabs. */
  #seen(event: NotifyxEvents["seen"]): void {
    this.#onSeen(event);
    this.#link.share?.(event);
  }

  readonly #onProblem = (error: NotifyxError) => this.#events.emit("problem", error);

  #stream<Item extends { readonly cursor?: string | null }>(
    options: Pick<StreamOptions<Item>, "query" | "variables" | "begin" | "idOf"> & Partial<StreamOptions<Item>>,
  ): AsyncIterableIterator<Item> {
    return stream<Item>({
      link: this.#link,
      timing: this.#timing,
      waits: this.#waits,
      onProblem: this.#onProblem,
      keep() {},
      expired: (_, oldestCursor, signal) => oldestCursor ? Promise.resolve(oldestCursor) : this.#now(signal),
      read: ({ item }) => (item ?? undefined) as Item | undefined,
      ...options,
    });
  }

  /** Follows the number of what isn't seen, while somebody listens. */
  async #count(): Promise<void> {
    const counts = this.#counts = this.#stream<{ readonly value: number; readonly cursor?: undefined }>({
      query: documents.UNSEEN,
      variables: {},
      begin: () => Promise.resolve({ cursor: undefined, isOld: false }),
      idOf: () => undefined,
      read: ({ item }) => typeof item === "number" ? { value: item } : undefined,
    });
    try {
      for await (const { value } of counts) this.unseen.set(value);
    } catch (error) {
      // The session's end is told as an event of its own.
      if (!this.#over.signal.aborted) this.#onProblem(error as NotifyxError);
    }
  }

  /** Where the feed is now. */
  #now(signal: AbortSignal): Promise<string | null> {
    return this.#untilDone(
      async () => (await this.#ask<{ feedCursor: string | null }>(documents.FEED_CURSOR)).feedCursor,
      signal,
    );
  }

  async #keep(cursor: string, topicId?: string): Promise<void> {
    try {
      await this.#cursors.save(cursor, topicId);
    } catch (error) {
      // The loop goes on: what is lost is only where the next start would go on.
      this.#onProblem(new NotifyxError("CURSOR_NOT_KEPT", `the place in the feed can't be kept: ${error}`));
    }
  }

  async #page<Item>(document: string, filter: object): Promise<Page<Item>> {
    const { page } = await this.#ask<{ page: Edges<Item> }>(document, filter);
    return { items: page.edges.map(({ node }) => node), ...page.pageInfo };
  }

  /** For a signed-in user: when there is none, the session has ended. */
  async #ask<Data>(document: string, variables?: object): Promise<Data> {
    try {
      return await this.#http.ask<Data>(document, variables);
    } catch (error) {
      if (error instanceof NotifyxError && error.code === "UNAUTHENTICATED") this.#link.end(error);
      throw error;
    }
  }

  #untilDone<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return untilDone(attempt, { timing: this.#timing, waits: this.#waits, signal, passes: isNoAnswer });
  }
}
