/** Which addresses mail may go to. */

import validator from "validator";
import { isStorable } from "./text.ts";

/** RFC 5321: the longest address, in characters. */
export const ADDRESS_LIMIT = 254;
/**
 * Quotes, within which an address may hold anything, another address too; what ends a line or isn't seen; and what programs on the way may
 * decode (RFC 2047).
 */
const TWO_FACED = /["\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|=\?/u;

/** Whether every program on a mail's way takes `text` for the same one address. */
export function isMailAddress(text: string): boolean {
  return text.length <= ADDRESS_LIMIT && isStorable(text) && !TWO_FACED.test(text) && validator.isEmail(text);
}

/** What `text`, which is none, should have been. */
export function addressFault(text: string): string {
  // Many servers take none, and RFC 5321, 4.1.2, advises against them.
  if (text.startsWith('"')) return "an e-mail address whose local part is not quoted";
  return `an e-mail address of up to ${ADDRESS_LIMIT} characters`;
}
