/**
 * Pages after the Relay cursor specification, forward only (`first`, `after`). A cursor is the keyset of its row as a base64url text:
 * opaque to clients, and checked when it comes back, since anyone can write one.
 *
 * A list reads `first + 1` rows behind the cursor and hands them to {@link connection}, which thereby knows whether more follow:
 *
 *     const first = pageSize(args.first);
 *     const [id] = args.after == null ? [] : decodeCursor(args.after, 1);
 *     return connection(await store.list(id, first + 1), first, (row) => encodeCursor([row.id]));
 */

import { UserError } from "./errors.ts";
import { isStorable } from "./text.ts";

/** The most rows a page may have; what the schemas name as their default is used where `first` is null. */
export const PAGE_LIMIT = 1_000;
export const PAGE_DEFAULT = 50;
/** The longest cursor that is looked at, in characters. */
const CURSOR_LIMIT = 500;

export interface Edge<Row> {
  readonly node: Row;
  readonly cursor: string;
}

export interface Connection<Row> {
  readonly edges: readonly Edge<Row>[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** The wanted number of rows. @throws UserError `BAD_USER_INPUT` where it is not from 1 to {@link PAGE_LIMIT} */
export function pageSize(first: number | null | undefined): number {
  const size = first ?? PAGE_DEFAULT;
  if (Number.isInteger(size) && size >= 1 && size <= PAGE_LIMIT) return size;
  throw new UserError("BAD_USER_INPUT", `first is ${size}; it takes a number from 1 to ${PAGE_LIMIT}`);
}

/** The page of `rows`, of which up to `first + 1` were read. */
export function connection<Row>(
  rows: readonly Row[],
  first: number,
  cursorOf: (row: Row) => string,
): Connection<Row> {
  const edges = rows.slice(0, first).map((node) => ({ node, cursor: cursorOf(node) }));
  return { edges, pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null } };
}

export function encodeCursor(parts: readonly string[]): string {
  return new TextEncoder().encode(JSON.stringify(parts)).toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The `count` parts that {@link encodeCursor} was given. What they mean is the caller's to check.
 * @throws UserError `BAD_USER_INPUT` for a text that encodeCursor can't have made
 */
export function decodeCursor(cursor: string, count: number): string[] {
  const parts = cursor.length <= CURSOR_LIMIT ? parse(cursor) : undefined;
  const good = Array.isArray(parts) && parts.length === count &&
    parts.every((part) => typeof part === "string" && isStorable(part));
  if (!good) throw unknownCursor();
  return parts as string[];
}

/** For a cursor whose parts turn out not to be of this list. */
export function unknownCursor(): UserError {
  return new UserError("BAD_USER_INPUT", "the cursor is not one of this list");
}

function parse(cursor: string): unknown {
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
