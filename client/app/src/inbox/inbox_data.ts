/**
 * The lists of the inbox that are open or were so lately, and the live stream that all of them are fed from. What arrives at once is put
 * in at once: a catch-up of thousands is one change, not thousands.
 */

import type { Notification } from "../../../lib/mod.ts";
import { codeOf } from "../data/errors.ts";
import { notifyx } from "../data/notifyx.ts";
import { queryClient } from "../data/query_client.ts";
import { Store } from "../data/store.ts";
import { sessionEnded } from "../session/session.ts";
import { InboxList } from "./inbox_list_data.ts";
import type { InboxSearch } from "./inbox_search.ts";

/** Filters whose lists are kept, so that going back shows them at once. */
const MOST_LISTS = 8;
/** What arrives within this time is put in together, in milliseconds. */
const TOGETHER_MS = 40;
/** Whether all that changed has come is looked at when nothing has for so long, in milliseconds, … */
const QUIET_MS = 400;
/** … or this long after the first change. */
const LONGEST_MS = 2_000;
/** What was retracted after it was seen changes no count: a page that is being looked at is in doubt so often, in milliseconds. */
const DOUBT_MS = 30_000;
/** Between two tries to receive, in milliseconds. */
const AGAIN_MS = 2_000;

const lists = new Map<string, InboxList>();
const arrivals = new Set<(arrived: readonly Notification[]) => void>();

/** How many the server says are unseen; undefined until it has. */
export const unseenOnServer = new Store<number | undefined>(undefined);

/** The list for these filters, which loads if it is new. */
export function inboxList({ topic, from, unseen }: InboxSearch): InboxList {
  const key = JSON.stringify([topic, from, unseen]);
  let list = lists.get(key);
  if (list === undefined) {
    list = new InboxList({ topicId: topic, fromUserId: from, status: unseen && "SENT" }, beginning);
    if (lists.size >= MOST_LISTS) lists.delete(lists.keys().next().value!);
    void list.load();
  } else lists.delete(key);
  // The last one in the map is the one that was used last.
  lists.set(key, list);
  return list;
}

export function openLists(): Iterable<InboxList> {
  return lists.values();
}

/** Calls `listener` with all that arrives from now on. */
export function onArrival(listener: (arrived: readonly Notification[]) => void): () => void {
  arrivals.add(listener);
  return () => arrivals.delete(listener);
}

let isReceiving = false;

/** Begins to receive; lasts as long as the page. */
export function startReceiving(): void {
  if (isReceiving) return;
  isReceiving = true;
  const client = notifyx();
  client.unseen.subscribe((count) => {
    unseenOnServer.set(count);
    lookSoon();
  });
  client.on("caughtUp", doubt);
  setInterval(() => document.visibilityState === "visible" && doubt(), DOUBT_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && doubt());
  client.on("sessionEnded", () => void sessionEnded());
  client.on("cursorExpired", () => {
    for (const list of lists.values()) void list.load();
  });
  // In another tab, or here.
  client.on("seen", ({ ids, topicId, upTo }) => {
    const named = new Set(ids);
    for (const list of lists.values()) {
      if (ids !== undefined) list.see(({ id }) => named.has(id));
      else list.seeUpTo(upTo, topicId);
    }
  });
  void receive();
}

/** How many would be unseen if nothing had happened but what arrived. */
let expected: number | undefined;
let changedAt: number | undefined;
let looking: ReturnType<typeof setTimeout> | undefined;

/** The count of unseen ones says that there was an acknowledgement elsewhere or a retraction: by not being what arrivals make it. */
function lookSoon(): void {
  changedAt ??= performance.now();
  clearTimeout(looking);
  looking = setTimeout(() => {
    changedAt = undefined;
    const count = unseenOnServer.get();
    if (expected !== undefined && count !== expected) doubt();
    expected = count;
  }, Math.min(QUIET_MS, Math.max(0, changedAt + LONGEST_MS - performance.now())));
}

function doubt(): void {
  for (const list of lists.values()) list.doubt();
  void queryClient.invalidateQueries({ queryKey: ["notification"] });
}

let begun: Promise<string | null> | undefined;

/** Where the feed was when this page began: the stream goes on from there, and lists are loaded after that was known. */
function beginning(): Promise<string | null> {
  return begun ??= notifyx().query<{ feedCursor: string | null }>("{ feedCursor }").then(
    ({ feedCursor }) => feedCursor,
    (error) => {
      begun = undefined;
      throw error;
    },
  );
}

async function receive(): Promise<void> {
  let waiting: Notification[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const putIn = () => {
    timer = undefined;
    const arrived = waiting;
    waiting = [];
    for (const list of lists.values()) list.arrive(arrived);
    if (expected !== undefined) expected += arrived.filter(({ status }) => status === "SENT").length;
    lookSoon();
    for (const listener of arrivals) listener(arrived);
  };
  let after = await untilBegun() ?? undefined;
  for (;;) {
    try {
      for await (const notification of notifyx().notifications({ after })) {
        after = notification.cursor ?? after;
        waiting.push(notification);
        timer ??= setTimeout(putIn, TOGETHER_MS);
      }
    } catch (error) {
      // The session's end is told as an event. Whatever else it was, a page that receives nothing more would be the worst of it.
      if (codeOf(error) === "UNAUTHENTICATED") return;
    }
    await pause();
  }
}

async function untilBegun(): Promise<string | null> {
  while (true) {
    try {
      return await beginning();
    } catch {
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
}
