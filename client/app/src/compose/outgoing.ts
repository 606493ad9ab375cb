/**
 * What is on its way: shown among what was sent at once, and sent by the client library, which waits for a connection where there is
 * none. Each has one idempotency key for all its tries, so that it is sent once; it is kept in this browser meanwhile (kept_sends.ts), and
 * whichever tab is there sends it.
 */

import type { Notification } from "../../../lib/mod.ts";
import { AppError, codeOf, errorText } from "../data/errors.ts";
import { notifyx } from "../data/notifyx.ts";
import { queryClient } from "../data/query_client.ts";
import { Store } from "../data/store.ts";
import { putSent } from "../sent/sent_data.ts";
import { beforeSignOut } from "../session/session.ts";
import { showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";
import { changeDraft, clearDraft, type Draft } from "./draft.ts";
import { forget, keep, kept, keptOf, onKept, removeOld } from "./kept_sends.ts";

export interface Outgoing {
  /** Its idempotency key. */
  readonly key: string;
  readonly draft: Draft & { readonly topicId: string };
  readonly topicName: string;
  readonly createdAt: string;
  /** Why it was refused: it isn't tried any more. */
  readonly error?: { readonly code?: string; readonly message: string };
}

/** How long who signs out waits for what is on its way, in milliseconds. */
const LEAVE_LIMIT_MS = 3_000;

/** The newest first. */
export const outgoing = new Store<readonly Outgoing[]>([]);
/** Keys of those that are gone with the page. */
const passing = new Set<string>();
/** By key, those that this tab has sent or waits to send. */
const attempts = new Map<string, Promise<void>>();
let isResumed = false;

/** Goes on with what an earlier page or another tab has left, once somebody is signed in. */
export function resumeSending(): void {
  if (isResumed) return;
  isResumed = true;
  removeOld();
  onKept((key, one) => {
    if (one !== undefined) return takeUp(one);
    remove(key);
    void queryClient.invalidateQueries({ queryKey: ["sent", "list"] });
  });
  for (const one of kept()) takeUp(one);
}

/** Empties the draft; it comes back where the sending fails and whoever wrote it wants that. */
export function send(written: Draft & { readonly topicId: string }, topicName: string): void {
  add({ draft: written, topicName });
  clearDraft();
}

/** With the same key: where it was sent after all, this finds that. A key that counts no more is another one's. */
export function sendAgain({ error, ...one }: Outgoing): void {
  if (error?.code === "EXPIRED") {
    discard(one);
    return add(one);
  }
  put(one);
  begin(one.key);
}

/** Back into the page on which it was written. */
export function edit(one: Outgoing): void {
  discard(one);
  changeDraft(one.draft);
}

export function discard({ key }: Outgoing): void {
  forget(key);
  remove(key);
}

function add({ draft, topicName }: Pick<Outgoing, "draft" | "topicName">): void {
  const one = { key: crypto.randomUUID(), draft, topicName, createdAt: new Date().toISOString() };
  put(one);
  begin(one.key);
}

function put(one: Outgoing): void {
  if (keep(one)) passing.delete(one.key);
  else passing.add(one.key);
  show(one);
}

function show(one: Outgoing): void {
  const others = outgoing.get().filter(({ key }) => key !== one.key);
  outgoing.set([one, ...others].sort((one, other) => one.createdAt < other.createdAt ? 1 : -1));
}

function remove(key: string): void {
  passing.delete(key);
  outgoing.set(outgoing.get().filter((one) => one.key !== key));
}

function takeUp(one: Outgoing): void {
  show(one);
  if (one.error === undefined) begin(one.key);
}

function begin(key: string): void {
  if (attempts.has(key)) return;
  attempts.set(key, alone(key, () => attempt(key)).finally(() => attempts.delete(key)));
}

/** One tab at a time, where the browser has Web Locks; elsewhere the key alone has it sent once. */
async function alone(key: string, run: () => Promise<void>): Promise<void> {
  const { locks } = navigator as { readonly locks?: LockManager };
  await (locks === undefined ? run() : locks.request(`notifyx:outgoing:${key}`, run));
}

async function attempt(key: string): Promise<void> {
  // Another tab may have sent it while this one waited.
  const one = passing.has(key) ? outgoing.get().find((one) => one.key === key) : keptOf(key);
  if (one === undefined) return remove(key);
  if (one.error !== undefined) return show(one);
  const { draft: { topicId, message, toAll, people }, createdAt } = one;
  let sent: Notification;
  try {
    const to = toAll ? [] : people.map(({ id }) => id);
    sent = await notifyx().send(topicId, message, { to, idempotencyKey: key, since: Date.parse(createdAt) });
  } catch (error) {
    return refused(one, error as Error);
  }
  forget(key);
  await putSent(sent);
  remove(key);
}

function refused(one: Outgoing, error: Error): void {
  const code = codeOf(error);
  if (code === "UNAUTHENTICATED") {
    // It is sent once its writer has signed in again; what isn't kept they find as their draft.
    if (passing.has(one.key)) changeDraft(one.draft);
    return;
  }
  put({ ...one, error: { code, message: error.message } });
  // Perhaps for what has become of the topic.
  void queryClient.invalidateQueries({ queryKey: ["topics"] });
  showToast({ isError: true, text: t("compose.failed", { reason: errorText(error) }) });
}

beforeSignOut(async (anyway) => {
  const waiting = () => outgoing.get().filter(({ error }) => error === undefined).length;
  if (waiting() > 0 && !anyway) {
    const limit = new Promise((resolve) => setTimeout(resolve, LEAVE_LIMIT_MS));
    await Promise.race([Promise.all(attempts.values()), limit]);
    if (waiting() > 0) throw new AppError("UNSENT", t("compose.unsent", { count: waiting() }));
  }
  // Nothing of who leaves stays in this browser.
  for (const one of outgoing.get()) discard(one);
});

// What isn't kept doesn't outlast the page.
addEventListener("beforeunload", (event) => {
  if (outgoing.get().some(({ key, error }) => error === undefined && passing.has(key))) event.preventDefault();
});
