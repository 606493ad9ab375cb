/** What a server says, made fit to be shown: one line, without control characters, of a bounded length. */

const LINE_LIMIT = 500;

export function oneLine(text: string): string {
  const line = text.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, " ").trim();
  return line.length <= LINE_LIMIT ? line : `${[...line.slice(0, LINE_LIMIT)].slice(0, -1).join("")}…`;
}
