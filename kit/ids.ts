/** Ids of rows: UUIDs, made by the program that inserts, so that they are known before the database answers. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether PostgreSQL would take `text` as a uuid in its usual form; an id that is none is nobody's, not an error of the database. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * A UUID of version 7 (RFC 9562): 48 bits of the time in milliseconds, then 74 random ones. Rows made later sort later,
 * so an index on the id grows at its end and a page in order of the id is one in order of creation.
 */
export function newId(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setUint32(0, Math.floor(now / 2 ** 16));
  new DataView(bytes.buffer).setUint16(4, now % 2 ** 16);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toHex();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** When the id that {@link newId} made was made. */
export function timeOfId(id: string): Date {
  return new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}
