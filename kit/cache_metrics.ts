/** What is measured of caches: what each holds, of what it may hold, and how often something was found there. */

import { counterOf, gauge } from "./metrics.ts";

/** A cache of npm `lru-cache`, for one. */
export interface Cache {
  readonly size: number;
  readonly max: number;
}

/** Counted where something is looked for; read when somebody looks at the metrics, since a counter's own increment costs much more. */
export interface Lookups {
  hits: number;
  misses: number;
}

const caches = new Map<string, Cache>();
const lookups = new Map<string, Lookups>();

gauge("notifyx_cache_entries", (shown) => {
  for (const [cache, { size }] of caches) shown.set({ cache }, size);
});
gauge("notifyx_cache_entries_limit", (shown) => {
  for (const [cache, { max }] of caches) shown.set({ cache }, max);
});
counterOf("notifyx_cache_lookups_total", function* () {
  for (const [cache, { hits, misses }] of lookups) {
    yield [{ cache, found: "yes" }, hits];
    yield [{ cache, found: "no" }, misses];
  }
});

/** From now on what is told under this name is of this one: it may take the place of another. */
export function measureCache(name: string, cache: Cache): void {
  caches.set(name, cache);
}

/** Those of all caches that have had this name. */
export function lookupsOf(name: string): Lookups {
  let found = lookups.get(name);
  if (found === undefined) lookups.set(name, found = { hits: 0, misses: 0 });
  return found;
}
