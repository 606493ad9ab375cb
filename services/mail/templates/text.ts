/**
 * Untrusted text on its way into a mail. In: what people wrote. Out: text in which no character does more than stand there, for one line
 * (subjects, names), for a block of lines (messages), and links that lead to the web and nowhere else.
 */

import { escapeHtml } from "../../../kit/status_page.ts";
import { characters } from "../../../kit/text.ts";

/** Longer URLs are refused by mail clients and servers on the way; in characters. */
const LINK_LIMIT = 2_000;

/** Controls but for tab and line feed; marks that turn the direction of what follows them; and those that nobody sees. */
// deno-lint-ignore no-control-regex -- that is what it is about
const HARMFUL = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
const LINE_ENDS = /\r\n|[\r\v\f\x85\u2028\u2029]/g;

/** Lines ended by "\n", without blank ones at either end. */
export function block(text: string): string {
  return text.toWellFormed().replace(LINE_ENDS, "\n").replace(HARMFUL, "").replace(/^(\s*\n)+|\s+$/g, "");
}

/** One line of at most `most` characters; what was cut off leaves a "…". */
export function oneLine(text: string, most: number): string {
  // The cut comes first too: what is far longer need not be looked at.
  return shorten(block(text.slice(0, 4 * most)).replace(/\s+/g, " ").trim(), most);
}

/** At most `most` characters (code points). */
export function shorten(text: string, most: number): string {
  if (text.length <= most || characters(text) <= most) return text;
  return [...text.slice(0, 2 * most)].slice(0, most - 1).join("").trimEnd() + "…";
}

/** A block as HTML: what was a line stays one. */
export function blockHtml(text: string): string {
  return escapeHtml(text).replaceAll("\n", "<br>");
}

/** The URL as a browser writes it; undefined where it isn't of the web, has a name in it that hides where it leads, or is no URL. */
export function webLink(text: string): string | undefined {
  if (text.length > LINK_LIMIT || /\s/.test(text) || text.search(HARMFUL) >= 0) return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return undefined;
  return url.href.length <= LINK_LIMIT ? url.href : undefined;
}

const TIME = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});

/** "24 November 2026 at 19:16 UTC": whoever reads it may be anywhere. */
export function timeText(time: string): string {
  return `${TIME.format(new Date(time))} UTC`;
}
