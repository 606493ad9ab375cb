/** Lists that are kept page by page, and changed in place. */

import type { InfiniteData } from "@tanstack/react-query";

/** The same pages with other items; undefined where nothing is kept. */
export function withItems<Item, Page extends { readonly items: readonly Item[] }, Cursor>(
  pages: InfiniteData<Page, Cursor> | undefined,
  change: (items: readonly Item[]) => readonly Item[],
): InfiniteData<Page, Cursor> | undefined {
  return pages && { ...pages, pages: pages.pages.map((page) => ({ ...page, items: change(page.items) })) };
}
