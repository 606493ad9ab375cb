/** What a text has to be before it may go into PostgreSQL, and how long it is for its writer. */

/** Whether PostgreSQL can hold `text` as it is: no NUL, and no half of a surrogate pair, which would silently become U+FFFD. */
export function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

/** The length in characters (code points): an emoji of two UTF-16 units counts once. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
