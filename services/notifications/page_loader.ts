/** Pages of the lists that many rows have each, such as a topic's subscribers: of pages that are alike one statement. */

import DataLoader from "dataloader";

/** Up to `limit` of the list of `id`, behind `after`. */
export interface ListPage {
  readonly id: string;
  readonly after: string | null;
  readonly limit: number;
}

/**
 * @param read gives for each of `ids` its page
 * @param check sees the pages before they are read, and throws where they are too many
 */
export function pageLoader<Row>(
  read: (ids: readonly string[], after: string | null, limit: number) => Promise<Map<string, Row[]>>,
  check: (pages: readonly ListPage[]) => void,
): DataLoader<ListPage, Row[], string> {
  return new DataLoader<ListPage, Row[], string>(async (pages) => {
    check(pages);
    const found = new Map<string, Row[]>();
    for (const alike of Map.groupBy(pages, ({ after, limit }) => `${after} ${limit}`).values()) {
      const { after, limit } = alike[0]!;
      const byId = await read(alike.map(({ id }) => id), after, limit);
      for (const page of alike) found.set(keyOf(page), byId.get(page.id)!);
    }
    return pages.map((page) => found.get(keyOf(page))!);
  }, { cacheKeyFn: keyOf });
}

function keyOf({ id, after, limit }: ListPage): string {
  return `${id} ${after} ${limit}`;
}
