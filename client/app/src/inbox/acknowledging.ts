/**
 * Marking as seen, which can be undone for some seconds: on the page it is so at once, and the server is told when that time is over, or
 * when the page is left. Where the server then refuses, the page shows it as unseen again, and says so.
 */

import type { Notification } from "../../../lib/mod.ts";
import { errorText } from "../data/errors.ts";
import { notifyx } from "../data/notifyx.ts";
import { sendLast } from "../data/send_last.ts";
import { Store } from "../data/store.ts";
import { beforeSignOut } from "../session/session.ts";
import { removeToast, showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";
import { openLists } from "./inbox_data.ts";

interface Action {
  readonly ids: ReadonlySet<string>;
  /** All up to a cursor, of which `ids` are those that are loaded. */
  readonly all?: { readonly topicId?: string; readonly upTo?: string };
  timer?: ReturnType<typeof setTimeout>;
  toast?: number;
  isSent: boolean;
}

/** How long it can be undone, in milliseconds. */
const UNDO_MS = 6_000;
/** So many ids fit into what a browser still sends for a page that is left. */
const MOST_KEPT_ALIVE = 1_000;

/** Those that are undone or sent are gone from here. The array is a new one at each change. */
const actions = new Store<readonly Action[]>([]);
export const pending = { get: actions.get, subscribe: actions.subscribe };

/** Whether it is seen as far as the page shows. */
export function isSeen({ id, status }: Notification): boolean {
  return status === "SEEN" || actions.get().some(({ ids }) => ids.has(id));
}

/** How many of those that the server counts as unseen the page shows as seen; Infinity: all of them. */
export function pendingCount(): number {
  return actions.get().reduce((sum, { ids, all }) => sum + (all && all.topicId === undefined ? Infinity : ids.size), 0);
}

export function acknowledge(items: readonly Notification[]): void {
  const ids = new Set(items.filter((one) => !isSeen(one)).map(({ id }) => id));
  if (ids.size > 0) begin({ ids, isSent: false }, t("inbox.acknowledged", { count: ids.size }));
}

/** All of a list, also what isn't loaded of it; what arrives later stays unseen. */
export function acknowledgeAll(items: readonly Notification[], topicId?: string): void {
  const ids = new Set(items.filter((one) => !isSeen(one)).map(({ id }) => id));
  const upTo = items[0]?.cursor ?? undefined;
  begin({ ids, all: { topicId, upTo }, isSent: false }, t("inbox.acknowledgedAll"));
}

/** Takes back the last one. Whether there was one */
export function undo(): boolean {
  const last = actions.get().findLast(({ isSent }) => !isSent);
  if (last === undefined) return false;
  end(last);
  showToast({ text: t("inbox.undone"), lastsMs: 2_000 });
  return true;
}

beforeSignOut(() => Promise.all(actions.get().filter(({ isSent }) => !isSent).map(send)));

addEventListener("pagehide", () => {
  for (const action of actions.get()) {
    if (!action.isSent) sendAtLast(action);
  }
});

function begin(action: Action, text: string): void {
  action.timer = setTimeout(() => void send(action), UNDO_MS);
  action.toast = showToast({ text, lastsMs: UNDO_MS, action: { label: t("inbox.undo"), run: undo } });
  actions.set([...actions.get(), action]);
}

async function send(action: Action): Promise<void> {
  clearTimeout(action.timer);
  action.isSent = true;
  const { ids, all } = action;
  try {
    if (all === undefined) await notifyx().acknowledge([...ids]);
    else await notifyx().acknowledgeAll(all);
    // The library tells those it named; of all, the ones that are loaded are these.
    for (const list of openLists()) list.see(({ id }) => ids.has(id));
  } catch (error) {
    showToast({ isError: true, text: t("inbox.acknowledgeFailed", { reason: errorText(error) }) });
  }
  end(action);
}

function end(action: Action): void {
  clearTimeout(action.timer);
  if (action.toast !== undefined) removeToast(action.toast);
  actions.set(actions.get().filter((one) => one !== action));
}

function sendAtLast({ ids, all }: Action): void {
  if (all !== undefined) {
    return sendLast("mutation ($topicId: ID, $upTo: String) { acknowledgeAll(topicId: $topicId, upTo: $upTo) }", all);
  }
  sendLast("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", {
    ids: [...ids].slice(0, MOST_KEPT_ALIVE),
  });
}
