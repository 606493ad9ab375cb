/** Ids of mails that follow from what they are about: the same mail made again, after a restore of the database, is the same. */

import { createHash } from "node:crypto";

/** A UUID of version 8 (RFC 9562): the first 122 bits of SHA-256 over the parts. */
export function mailId(...parts: readonly string[]): string {
  const bytes = createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes[6] = 0x80 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
