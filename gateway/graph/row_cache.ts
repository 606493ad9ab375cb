/**
 * Rows of joins that every viewer sees alike, for as long as their service says (`@cacheControl(maxAge: SECONDS)` in its schema). In: the
 * rows that came. Out: those that need not be asked for. What has no such hint is never kept; nor is a row that isn't there, or that came
 * with an error. Whoever isn't signed in may be told less: theirs are kept apart.
 */

import { LRUCache } from "lru-cache";
import { measureCache } from "../../kit/cache_metrics.ts";
import { counter, gauge } from "../../kit/metrics.ts";
import { MINUTE } from "../../kit/time.ts";
import type { Join } from "./plan.ts";

/** In characters of JSON, and in rows. */
const SIZE_LIMIT = 32 * 1024 * 1024;
const ROW_LIMIT = 100_000;

const lookups = counter("notifyx_graph_rows_total");
const hits = lookups.labels("yes");
const misses = lookups.labels("no");

export class RowCache {
  readonly #rows = new LRUCache<string, object>({
    max: ROW_LIMIT,
    maxSize: SIZE_LIMIT,
    sizeCalculation: (row, key) => key.length + JSON.stringify(row).length,
    ttl: MINUTE,
  });

  constructor() {
    const rows = this.#rows;
    gauge("notifyx_graph_rows", () => rows.size);
    measureCache("rows", rows);
  }

  get(join: Join, key: unknown, isAnonymous: boolean): object | undefined {
    const row = this.#rows.get(nameOf(join, key, isAnonymous));
    (row === undefined ? misses : hits).inc();
    return row;
  }

  /** A row is shared from now on: nobody may change it. */
  set(join: Join, key: unknown, isAnonymous: boolean, row: object): void {
    this.#rows.set(nameOf(join, key, isAnonymous), row, { ttl: join.keptForMs });
  }
}

function nameOf({ keptAs }: Join, key: unknown, isAnonymous: boolean): string {
  return `${isAnonymous ? "anonymous " : ""}${keptAs}${key}`;
}
