/**
 * What is on its way, kept in this browser until it is sent or discarded: so it outlasts a reload, and the tab in which it was written. Each
 * is an entry of its own in localStorage, which all tabs of its writer see, and none overwrites another's.
 */

import { viewer } from "../session/session.ts";
import type { Outgoing } from "./outgoing.ts";

const PREFIX = "notifyx:outgoing:";
/** So many are kept; one that is too many lasts as long as its page. */
const MOST_KEPT = 200;
/** What was neither sent nor discarded by then is removed, whoever wrote it; in milliseconds. */
const LONGEST_MS = 7 * 24 * 3_600_000;

/** Whether it is kept now. */
export function keep(one: Outgoing): boolean {
  try {
    if (localStorage.getItem(nameOf(one.key)) === null && kept().length >= MOST_KEPT) return false;
    localStorage.setItem(nameOf(one.key), JSON.stringify(one));
    return true;
  } catch {
    // There is no room, or storage is turned off.
    return false;
  }
}

export function forget(key: string): void {
  localStorage.removeItem(nameOf(key));
}

/** Undefined where it was sent or discarded, perhaps in another tab. */
export function keptOf(key: string): Outgoing | undefined {
  return parsed(localStorage.getItem(nameOf(key)));
}

/** Those of the viewer, in the order in which they were written. */
export function kept(): Outgoing[] {
  const own = nameOf("");
  return names().filter((name) => name.startsWith(own)).flatMap((name) => parsed(localStorage.getItem(name)) ?? [])
    .sort((one, other) => one.createdAt < other.createdAt ? -1 : 1);
}

/** Calls `listener` with each that another tab of the viewer has kept or changed, or of which it has forgotten the key. */
export function onKept(listener: (key: string, one: Outgoing | undefined) => void): void {
  addEventListener("storage", ({ key: name, newValue }) => {
    const own = nameOf("");
    if (name?.startsWith(own)) listener(name.slice(own.length), parsed(newValue));
  });
}

/** Whoever wrote them: someone may never sign in here again. */
export function removeOld(): void {
  for (const name of names()) {
    const one = parsed(localStorage.getItem(name));
    if (one === undefined || Date.now() - Date.parse(one.createdAt) > LONGEST_MS) localStorage.removeItem(name);
  }
}

function names(): string[] {
  return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
}

function nameOf(key: string): string {
  return `${PREFIX}${viewer.get()?.id}:${key}`;
}

function parsed(text: string | null): Outgoing | undefined {
  try {
    const one = JSON.parse(text ?? "null");
    const { topicId, message } = one.draft;
    return [one.key, one.createdAt, topicId, message].every((part) => typeof part === "string") ? one : undefined;
  } catch {
    return undefined;
  }
}
