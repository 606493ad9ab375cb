/**
 * What tells of arrivals while one looks elsewhere: the browser's own notifications, once they were asked for and allowed, and a sound,
 * which is off until it is turned on.
 */

import type { Notification as Arrived } from "../../../lib/mod.ts";
import { Store } from "../data/store.ts";
import { onArrival } from "../inbox/inbox_data.ts";
import { t } from "../strings/strings.ts";
import { chime } from "./chime.ts";
import { isLookedAt, tellWhileLookedAt } from "./tabs.ts";

export interface NoticeChoices {
  /** `later`: they were offered, and declined for now. */
  readonly notices: "on" | "off" | "later" | "unasked";
  readonly sound: boolean;
}

const KEPT_AS = "notifyx:notices";
const DEFAULTS: NoticeChoices = { notices: "unasked", sound: false };
/** More at once are told as a number. */
const MOST_AT_ONCE = 3;

export const noticeChoices = new Store<NoticeChoices>(read());

// Chosen in another tab.
addEventListener("storage", ({ key }) => key === KEPT_AS && noticeChoices.set(read()));

export function choose(change: Partial<NoticeChoices>): void {
  const choices = { ...noticeChoices.get(), ...change };
  localStorage.setItem(KEPT_AS, JSON.stringify(choices));
  noticeChoices.set(choices);
}

/** Whether the browser has them, and hasn't been told never to ask. */
export function canNotify(): boolean {
  return "Notification" in globalThis && Notification.permission !== "denied";
}

/** By a click alone: browsers ask then, and people know why. Whether they are on now */
export async function turnNotices(on: boolean): Promise<boolean> {
  const allowed = on && canNotify() && await Notification.requestPermission() === "granted";
  choose({ notices: allowed ? "on" : "off" });
  return allowed;
}

/** Who turns it on hears what it is. */
export function turnSound(on: boolean): void {
  choose({ sound: on });
  if (on) void chime();
}

/** Tells of what arrives from now on; `open` is called with the one that was clicked. The answer ends that. */
export function tellOfArrivals(open: (id: string) => void): () => void {
  const ends = [
    tellWhileLookedAt(),
    onArrival((all) => {
      // What was seen elsewhere before it came here is no news.
      const arrived = all.filter(({ status }) => status === "SENT");
      if (arrived.length > 0) void tellOf(arrived, open);
    }),
  ];
  return () => ends.forEach((end) => end());
}

async function tellOf(arrived: readonly Arrived[], open: (id: string) => void): Promise<void> {
  const { notices, sound } = noticeChoices.get();
  if (sound) void chime();
  if (notices !== "on" || !canNotify() || Notification.permission !== "granted" || await isLookedAt()) return;
  if (arrived.length > MOST_AT_ONCE) {
    return tell({ title: t("app.name"), body: t("inbox.new", { count: arrived.length }), tag: arrived.at(-1)!.id });
  }
  for (const one of arrived) tell({ ...titled(one), tag: one.id, onClick: () => open(one.id) });
}

function titled({ from, topic, message }: Arrived): { title: string; body: string } {
  const sender = from.email ?? t("inbox.unknownSender");
  const title = topic.name == null ? sender : t("notices.title", { sender, topic: topic.name });
  return { title, body: message };
}

interface Told {
  readonly title: string;
  readonly body: string;
  /** The same of several tabs is shown once. */
  readonly tag: string;
  readonly onClick?: () => void;
}

function tell({ title, body, tag, onClick }: Told): void {
  try {
    const notice = new Notification(title, { body, tag, icon: "/icon.svg" });
    notice.onclick = () => {
      focus();
      onClick?.();
      notice.close();
    };
  } catch {
    // Some phones have the class, and show none of a page without a worker.
  }
}

function read(): NoticeChoices {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") };
  } catch {
    return DEFAULTS;
  }
}
