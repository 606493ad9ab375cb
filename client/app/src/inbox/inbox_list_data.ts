/**
 * One list of the inbox: newest first, older ones page by page, what arrives in front. Each notification is in it once, whichever way it
 * came first. What becomes of it elsewhere no stream tells: when something may have changed, all that is loaded is in doubt, and what is in
 * view is read again, the rest when it comes into view.
 */

import type { InboxFilter, Notification, Page } from "../../../lib/mod.ts";
import { notifyx } from "../data/notifyx.ts";
import { Store } from "../data/store.ts";

export interface InboxState {
  readonly items: readonly Notification[];
  readonly status: "loading" | "ready" | "failed";
  readonly hasMore: boolean;
  readonly more: "idle" | "loading" | "failed";
  readonly error?: unknown;
  /** Another number after each {@link InboxList.doubt}, and after what was in view has been read again. */
  readonly turn: number;
}

const PAGE_SIZE = 100;
const EMPTY: InboxState = { items: [], status: "loading", hasMore: false, more: "idle", turn: 0 };

export class InboxList {
  readonly state = new Store<InboxState>(EMPTY);
  #ids = new Set<string>();
  /** Those that came or were read again since the last doubt. */
  readonly #sure = new Set<string>();
  #isLooking = false;
  #end: string | null = null;
  #loads = 0;

  /** @param began resolves when what arrives from then on is given to {@link arrive}: nothing falls in between */
  constructor(
    readonly filter: Pick<InboxFilter, "topicId" | "fromUserId" | "status">,
    private readonly began: () => Promise<unknown>,
  ) {}

  /** Loads the newest page, in place of all that is there. */
  async load(): Promise<void> {
    const load = ++this.#loads;
    this.#change({ status: "loading" });
    try {
      await this.began();
      const { items, hasNextPage, endCursor } = await notifyx().inbox({ ...this.filter, first: PAGE_SIZE });
      if (load !== this.#loads) return;
      const ids = new Set(items.map(({ id }) => id));
      const oldest = items.at(-1)?.createdAt ?? "";
      // What arrived while the page was on its way.
      const arrived = this.state.get().items.filter(({ id, createdAt }) => !ids.has(id) && createdAt >= oldest);
      this.#ids = new Set([...arrived.map(({ id }) => id), ...ids]);
      for (const id of this.#ids) this.#sure.add(id);
      this.#end = endCursor;
      this.#change({
        items: [...arrived, ...items],
        status: "ready",
        hasMore: hasNextPage,
        more: "idle",
        error: undefined,
      });
    } catch (error) {
      if (load === this.#loads) this.#change({ status: "failed", error });
    }
  }

  /** Loads the next older page, where there is one and it isn't on its way. */
  async loadMore(): Promise<void> {
    const { status, hasMore, more } = this.state.get();
    if (status !== "ready" || !hasMore || more === "loading") return;
    const load = this.#loads;
    this.#change({ more: "loading" });
    try {
      const after = this.#end ?? undefined;
      const { items, hasNextPage, endCursor } = await notifyx().inbox({ ...this.filter, first: PAGE_SIZE, after });
      if (load !== this.#loads) return;
      this.#end = endCursor;
      const added = this.#new(items);
      this.#change({ items: [...this.state.get().items, ...added], hasMore: hasNextPage, more: "idle" });
    } catch (error) {
      if (load === this.#loads) this.#change({ more: "failed", error });
    }
  }

  /** Takes those of `arrived`, which come in the order of the feed, that belong here. How many that were */
  arrive(arrived: readonly Notification[]): number {
    const { items, hasMore } = this.state.get();
    const oldest = items.at(-1);
    // Older than all that is loaded: it comes with its page.
    const comesLater = ({ createdAt }: Notification) => hasMore && oldest !== undefined && createdAt < oldest.createdAt;
    const added = this.#new(arrived.filter((one) => this.#belongs(one) && !comesLater(one)));
    if (added.length > 0) this.#change({ items: [...added.reverse(), ...items] });
    return added.length;
  }

  /** Sets what was seen, by ids, or of all. */
  see(isSeen: (one: Notification) => boolean): void {
    const { items } = this.state.get();
    let changed = false;
    const next = items.map((one) => {
      if (one.status === "SEEN" || !isSeen(one)) return one;
      changed = true;
      return { ...one, status: "SEEN" as const };
    });
    if (changed) this.#change({ items: next });
  }

  /** All up to and with the one of that cursor, or all there are; of one topic, or of all. */
  seeUpTo(cursor?: string, topicId?: string): void {
    const { items } = this.state.get();
    const first = cursor === undefined ? 0 : items.findIndex((one) => one.cursor === cursor);
    if (first < 0) return;
    const those = new Set(items.slice(first).map(({ id }) => id));
    this.see(({ id, topic }) => those.has(id) && (topicId === undefined || topic.id === topicId));
  }

  /** Something may have been retracted, deleted or seen elsewhere. */
  doubt(): void {
    this.#sure.clear();
    this.#change({ turn: this.state.get().turn + 1 });
  }

  /** Reads a page again from the first that is in doubt of those in view, which are given in the order of the list. */
  async look(inView: readonly Notification[]): Promise<void> {
    const first = inView.find(({ id }) => !this.#sure.has(id));
    const { status, items: before } = this.state.get();
    const begin = before.findIndex(({ id }) => id === first?.id);
    if (first === undefined || begin < 0 || status !== "ready" || this.#isLooking) return;
    this.#isLooking = true;
    const load = this.#loads;
    try {
      const after = before[begin - 1]?.cursor ?? undefined;
      const page = await notifyx().inbox({ ...this.filter, first: PAGE_SIZE, after });
      if (load !== this.#loads) return;
      const asked = before.slice(after === undefined ? 0 : begin);
      this.#correct(asked.slice(0, covered(asked, page)), page.items);
      this.#sure.add(first.id);
    } catch {
      // It stays in doubt; the connection's return is another.
      return;
    } finally {
      this.#isLooking = false;
    }
    this.#change({ turn: this.state.get().turn + 1 });
  }

  /** Sets `asked` to what `found` says of it: what isn't there is gone. */
  #correct(asked: readonly Notification[], found: readonly Notification[]): void {
    const now = new Map(found.map((one) => [one.id, one]));
    const gone = new Set(asked.filter(({ id }) => !now.has(id)).map(({ id }) => id));
    for (const { id } of asked) {
      if (gone.has(id)) this.#ids.delete(id);
      else this.#sure.add(id);
    }
    const { items } = this.state.get();
    if (gone.size > 0) this.#change({ items: items.filter(({ id }) => !gone.has(id)) });
    // Nothing becomes unseen again: where one is shown as seen, that is newer than the page.
    this.see(({ id }) => now.get(id)?.status === "SEEN");
  }

  #new(items: readonly Notification[]): Notification[] {
    return items.filter(({ id }) => {
      if (this.#ids.has(id)) return false;
      this.#ids.add(id);
      this.#sure.add(id);
      return true;
    });
  }

  #belongs({ topic, from, status }: Notification): boolean {
    const { topicId, fromUserId, status: wanted } = this.filter;
    return (topicId === undefined || topic.id === topicId) && (fromUserId === undefined || from.id === fromUserId) &&
      (wanted === undefined || status === wanted);
  }

  #change(change: Partial<InboxState>): void {
    this.state.set({ ...this.state.get(), ...change });
  }
}

/** How many of `asked` are between the page's ends. */
function covered(asked: readonly Notification[], { items, hasNextPage }: Page<Notification>): number {
  if (!hasNextPage) return asked.length;
  const places = new Map(asked.map(({ id }, place) => [id, place]));
  const known = items.findLastIndex(({ id }) => places.has(id));
  // What follows the last known one is older than all that is loaded.
  return known >= 0 && known < items.length - 1 ? asked.length : known < 0 ? 0 : places.get(items[known]!.id)! + 1;
}
