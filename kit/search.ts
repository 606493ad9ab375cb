/**
 * Search for a part of a text, cheap in a large table where PostgreSQL has its extension pg_trgm, and bounded where it hasn't.
 *
 * A page is looked for among its nearest rows first ({@link SEARCH_NEAR_ROWS}), where whatever many rows hold is found: by the index
 * alone, all rows that hold it would be read for a page of fifty. What is rarer than that, the index finds. What the index can't serve
 * is looked for among {@link SEARCH_FALLBACK_ROWS}.
 *
 * Measured with 100,000 topics, and as many users: 0.5 ms for what many hold, 1 to 7 ms for what few or none do, and 20 to 60 ms for
 * that without the index.
 */

import type { Sql } from "./database.ts";
import { characters } from "./text.ts";

export const SEARCH_NEAR_ROWS = 2_000;
export const SEARCH_FALLBACK_ROWS = 100_000;
/** pg_trgm knows a text by its parts of three characters. */
const INDEXED_CHARACTERS = 3;

/** The pattern of LIKE for texts that hold `part`, in which no character is a wildcard. */
export function containing(part: string): string {
  return `%${part.replaceAll(/[\\%_]/g, "\\$&")}%`;
}

/** A search's index, which its migration makes where pg_trgm can be created. Whether it is there is asked once. */
export class SearchIndex {
  #exists: Promise<boolean> | undefined;

  constructor(private readonly sql: Sql, private readonly name: string) {}

  async serves(part: string): Promise<boolean> {
    if (characters(part) < INDEXED_CHARACTERS) return false;
    return await (this.#exists ??= this.#ask().catch((error) => {
      this.#exists = undefined;
      throw error;
    }));
  }

  async #ask(): Promise<boolean> {
    const [row] = await this.sql<{ found: boolean }[]>`select to_regclass(${this.name}) is not null as found`;
    return row!.found;
  }
}
