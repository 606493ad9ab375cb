/** What the viewer sent, page by page, and how many have seen each: asked anew when a receipt says that it has changed. */

import { type InfiniteData, useInfiniteQuery } from "@tanstack/react-query";
import type { Notification } from "../../../lib/mod.ts";
import { withItems } from "../data/pages.ts";
import { ask, queryClient } from "../data/query_client.ts";

export interface Sent {
  readonly id: string;
  readonly message: string;
  readonly createdAt: string;
  readonly cursor: string | null;
  readonly topic: { readonly id: string; readonly name: string } | null;
  readonly recipientCount: number | null;
  readonly seenCount: number | null;
}

export interface SentPage {
  readonly items: readonly Sent[];
  readonly hasNextPage: boolean;
  readonly endCursor: string | null;
}

const FIELDS = "id message createdAt cursor topic { id name } recipientCount seenCount";
const SENT = `query ($topicId: ID, $after: String, $first: Int) {
  page: sentNotifications(topicId: $topicId, first: $first, after: $after) {
    edges { node { ${FIELDS} } } pageInfo { hasNextPage endCursor }
  }
}`;
const ONE = `query ($id: ID!) { notification(id: $id) { ${FIELDS} from { id } } }`;
const COUNTS = `query ($topicId: ID!, $first: Int) {
  page: sentNotifications(topicId: $topicId, first: $first) { edges { node { id recipientCount seenCount } } }
}`;
const PAGE_SIZE = 50;
/** As many of a topic are counted anew at a receipt. */
const MOST_COUNTED = 200;
/** Between two counts of a topic, in milliseconds: many may acknowledge at once. */
const COUNT_EVERY_MS = 500;

type Pages = InfiniteData<SentPage, string | undefined>;

/** All topics without `topicId`. */
export function useSent(topicId?: string) {
  return useInfiniteQuery({
    queryKey: ["sent", "list", topicId],
    queryFn: ({ pageParam }) => page(topicId, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ hasNextPage, endCursor }) => hasNextPage ? endCursor ?? undefined : undefined,
    refetchOnReconnect: true,
  });
}

async function page(topicId?: string, after?: string): Promise<SentPage> {
  const { page: { edges, pageInfo } } = await ask<
    { page: { edges: { node: Sent }[]; pageInfo: Omit<SentPage, "items"> } }
  >(SENT, { topicId, after, first: PAGE_SIZE });
  return { items: edges.map(({ node }) => node), ...pageInfo };
}

/** Null where there is none, or it is another's. */
export async function findSent(id: string): Promise<Sent | null> {
  const { notification } = await ask<{ notification: Sent | null }>(ONE, { id });
  return notification?.recipientCount == null ? null : notification;
}

/** What was sent just now, in front of the lists that it belongs to. */
export async function putSent({ id, topic }: Notification): Promise<void> {
  const one = await findSent(id).catch(() => null);
  for (const [key, pages] of queryClient.getQueriesData<Pages>({ queryKey: ["sent", "list"] })) {
    const [, , topicId] = key;
    if (topicId !== undefined && topicId !== topic.id) continue;
    if (pages?.pages.some(({ items }) => items.some((item) => item.id === id))) continue;
    if (one === null || pages === undefined) {
      await queryClient.invalidateQueries({ queryKey: key });
      continue;
    }
    const [first, ...rest] = pages.pages;
    queryClient.setQueryData<Pages>(key, { ...pages, pages: [{ ...first!, items: [one, ...first!.items] }, ...rest] });
  }
}

/** Takes it out of the lists, and out of what is kept. */
export function removeSent(id: string): void {
  queryClient.removeQueries({ queryKey: ["sent", "one", id] });
  changeSent((items) => items.filter((one) => one.id !== id));
}

const due = new Map<string, ReturnType<typeof setTimeout>>();

/** Has how many have seen what is loaded of a topic counted anew, at once and then no more often than {@link COUNT_EVERY_MS}. */
export function countAnew(topicId: string): void {
  if (due.has(topicId)) return;
  due.set(
    topicId,
    setTimeout(() => {
      due.delete(topicId);
      void count(topicId);
    }, COUNT_EVERY_MS),
  );
}

async function count(topicId: string): Promise<void> {
  const loaded = queryClient.getQueriesData<Pages>({ queryKey: ["sent", "list"] })
    .flatMap(([, pages]) => pages?.pages ?? []).flatMap(({ items }) => items).filter(({ topic }) =>
      topic?.id === topicId
    );
  const first = Math.min(MOST_COUNTED, Math.max(PAGE_SIZE, loaded.length));
  void queryClient.invalidateQueries({ queryKey: ["sent", "one"] });
  try {
    const { page: { edges } } = await ask<
      { page: { edges: { node: Pick<Sent, "id" | "recipientCount" | "seenCount"> }[] } }
    >(COUNTS, { topicId, first });
    const counts = new Map(edges.map(({ node }) => [node.id, node]));
    changeSent((items) => items.map((one) => ({ ...one, ...counts.get(one.id) })));
  } catch {
    // The next receipt, or the next look at the page, asks again.
  }
}

function changeSent(change: (items: readonly Sent[]) => readonly Sent[]): void {
  queryClient.setQueriesData<Pages>({ queryKey: ["sent", "list"] }, (pages) => withItems(pages, change));
}
