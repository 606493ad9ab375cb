/** What of a message can be opened: addresses on the web, and nothing else. */

/** Only http and https: `javascript:` and its like stay text. What ends a sentence is no part of the address. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}]/gi;

export interface MessagePart {
  readonly text: string;
  readonly href?: string;
}

export function parts(text: string): MessagePart[] {
  const found: MessagePart[] = [];
  let from = 0;
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    const url = URL.parse(address);
    if (url === null) continue;
    if (index > from) found.push({ text: text.slice(from, index) });
    found.push({ text: address, href: url.href });
    from = index + address.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}
