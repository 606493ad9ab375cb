/** Where the place in the feed is kept, so that the next start goes on there. */

export interface CursorStore {
  /** The place that was kept last, of all topics or of one. */
  load(topicId?: string): string | null | undefined | Promise<string | null | undefined>;
  /** Called once the app has had what stands at `cursor`, in order. */
  save(cursor: string, topicId?: string): void | Promise<void>;
}

/** `given` is the key in localStorage, or a store; nothing is this client's memory. @throws TypeError where there is no localStorage */
export function cursorStore(given: string | CursorStore | undefined): CursorStore {
  if (typeof given === "object") return given;
  if (given && !("localStorage" in globalThis)) throw new TypeError("cursor: there is no localStorage here");
  const kept = new Map<string, string>();
  const keyOf = (topicId = "") => `${given}${topicId && `:${topicId}`}`;
  return {
    load: (topicId) => kept.get(keyOf(topicId)) ?? (given ? localStorage.getItem(keyOf(topicId)) : undefined),
    save(cursor, topicId) {
      kept.set(keyOf(topicId), cursor);
      if (given) localStorage.setItem(keyOf(topicId), cursor);
    },
  };
}
