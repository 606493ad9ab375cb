/** A time as people say it, which stays true while it is looked at: "5 minutes ago". */

import { useSyncExternalStore } from "react";
import { LOCALE } from "../strings/strings.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto", style: "short" });
const onDay = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const inYear = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const short = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const whole = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "short" });

/** One clock for all times on a page. */
const EVERY_MS = 10 * SECOND;
const followers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function follow(listener: () => void): () => void {
  followers.add(listener);
  timer ??= setInterval(() => followers.forEach((one) => one()), EVERY_MS);
  return () => {
    followers.delete(listener);
    if (followers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** `bySecond`: also less than a minute is told as a number. */
export function relativeTime(at: Date, now: Date, bySecond = false): string {
  // A server's clock may be ahead of ours.
  const ms = Math.max(0, now.getTime() - at.getTime());
  if (ms < MINUTE) return relative.format(bySecond ? -Math.floor(ms / SECOND) : 0, "second");
  if (ms < HOUR) return relative.format(-Math.floor(ms / MINUTE), "minute");
  if (ms < DAY) return relative.format(-Math.floor(ms / HOUR), "hour");
  if (ms < 7 * DAY) return relative.format(-Math.floor(ms / DAY), "day");
  return (at.getFullYear() === now.getFullYear() ? onDay : inYear).format(at);
}

export function wholeTime(at: Date): string {
  return whole.format(at);
}

/** Shorter, for lists of times. */
export function shortTime(at: Date): string {
  return short.format(at);
}

export function shortDate(at: Date): string {
  return inYear.format(at);
}

/** The text of that time now, and then as it changes. */
export function useRelativeTime(at: string, bySecond?: boolean): string {
  return useSyncExternalStore(follow, () => relativeTime(new Date(at), new Date(), bySecond));
}

export interface RelativeTimeProps {
  readonly at: string;
  readonly bySecond?: boolean;
  readonly className?: string;
}

export function RelativeTime({ at, bySecond, className }: RelativeTimeProps) {
  return (
    <time dateTime={at} title={wholeTime(new Date(at))} className={className}>
      {useRelativeTime(at, bySecond)}
    </time>
  );
}
