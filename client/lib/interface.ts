/** What an app holds, as types: what `createNotifyx` gives, and what it tells. */

import type { NotifyxError } from "./errors.ts";
import type { Connection } from "./link.ts";
import type { Observable } from "./observable.ts";
import type { AvatarStyle } from "./schema.ts";
import type { InboxFilter, Notification, Page, Receipt, Topic, TopicFilter } from "./types.ts";

export interface NotifyxEvents {
  /** The session has ended, once: loops end with the same error, and nothing is tried again. */
  readonly sessionEnded: NotifyxError;
  /**
   * What was missed behind `after` is partly gone, and can't be had any more. `inbox` is what there is, newest first, of which the
   * loop goes on with what stands behind `oldestCursor`.
   */
  readonly cursorExpired: {
    readonly after: string;
    readonly oldestCursor: string | null;
    readonly topicId?: string;
    readonly inbox: readonly Notification[];
  };
  /** What was missed while the connection was lost, or since the last start, is all there: so many. */
  readonly caughtUp: { readonly count: number; readonly topicId?: string };
  /** Acknowledged here or in another tab: these, or all in a topic (or in all) up to a cursor (or all). */
  readonly seen: { readonly ids?: readonly string[]; readonly topicId?: string; readonly upTo?: string };
  /** Something went wrong that the library gets over by itself. */
  readonly problem: NotifyxError;
}

export interface SendOptions {
  readonly to?: readonly string[];
  /** The same key sends once, within a day. */
  readonly idempotencyKey?: string;
  /** Where the key is of an earlier start: when it was made, in milliseconds since 1970. Default now */
  readonly since?: number;
}

export interface Notifyx {
  /**
   * What arrives, each once and in order. Begins behind `after`, else behind the place that was kept, else now. The place is kept when
   * the loop asks for the next one; who leaves the loop gets the last one again. One loop at a time keeps a place (of all topics, or of one).
   * @throws NotifyxError by the loop, `UNAUTHENTICATED` when the session ends
   */
  notifications(options?: { readonly after?: string; readonly topicId?: string }): AsyncIterableIterator<Notification>;
  /** For a topic's creator: who has seen what, from now on or behind `after`. */
  receipts(topicId: string, options?: { readonly after?: string }): AsyncIterableIterator<Receipt>;
  /** How many the user has not seen; undefined until it is known. It is followed while somebody listens. */
  readonly unseen: Observable<number | undefined>;
  readonly connection: Observable<Connection>;
  /** How many sends wait for their answer. */
  readonly sending: Observable<number>;
  /**
   * Resolves when it is sent, which is done once: while there is no connection it waits, behind what was sent before it. An empty `to` is
   * every subscriber.
   */
  send(topicId: string, message: string, options?: SendOptions): Promise<Notification>;
  /** Waits like {@link send}. */
  acknowledge(ids: string | readonly string[]): Promise<void>;
  /** Up to a cursor, or all there are; how many became SEEN. Without `upTo` it doesn't wait for a connection, since all would be more by then. */
  acknowledgeAll(options?: { readonly topicId?: string; readonly upTo?: string }): Promise<number>;
  /** Newest first; `after` goes toward older ones. */
  inbox(filter?: InboxFilter): Promise<Page<Notification>>;
  topics(filter?: TopicFilter): Promise<Page<Topic>>;
  /**
   * Anything else that the API has: one try, over HTTP.
   * @throws NotifyxError where one of the operation's own fields failed; where only something below is missing, `problem` says so
   */
  query<Data = Record<string, unknown>>(
    document: string,
    variables?: object,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Data>;
  /**
   * Where someone's picture is, by their id: an image of the avatar service, which isn't asked for this. `size` in pixels, 16 to 512.
   * Default 128, `GITHUB`
   */
  picture(userId: string, options?: { readonly size?: number; readonly style?: AvatarStyle }): string;
  on<Name extends keyof NotifyxEvents>(name: Name, listener: (event: NotifyxEvents[Name]) => void): () => void;
  /** Ends the loops, and what waits with `CLOSED`. */
  close(): void;
}
