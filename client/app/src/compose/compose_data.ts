/** What one chooses from: topics of one's own, and those who are subscribed to one. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { Topic } from "../../../lib/mod.ts";
import { ask } from "../data/query_client.ts";
import { notifyx } from "../data/notifyx.ts";
import type { Recipient } from "./draft.ts";

export type OwnTopic = Pick<Topic, "id" | "name" | "status" | "subscriberCount">;

/** As many are offered; typing finds the others. */
export const MOST_OFFERED = 50;
/** So many subscribers are found by any part of their address; of larger topics, others by a search among all users. */
const MOST_SUBSCRIBERS = 1_000;

const TOPIC = "query ($id: ID!) { topic(id: $id) { id name status subscriberCount createdBy { id } } }";
const SUBSCRIBERS = `query ($id: ID!, $first: Int) { topic(id: $id) {
  subscribers(first: $first) { edges { node { id email } } pageInfo { hasNextPage } }
} }`;
const USERS = `query ($search: String, $first: Int) { users(search: $search, first: $first) {
  edges { node { id email } }
} }`;

interface Edges {
  readonly edges: readonly { readonly node: Recipient }[];
}

/** Topics of the viewer whose name has `search` in it. */
export function useOwnTopics(search: string) {
  return useQuery({
    queryKey: ["topics", "mine", search],
    queryFn: async (): Promise<readonly OwnTopic[]> =>
      (await notifyx().topics({ mine: true, search, first: MOST_OFFERED })).items,
    placeholderData: keepPreviousData,
  });
}

/** One topic; null where there is none, or it is another's. */
export function useOwnTopic(id: string | undefined, viewerId: string | undefined) {
  return useQuery({
    queryKey: ["topics", "own", id],
    queryFn: async () => {
      const { topic } = await ask<{ topic: OwnTopic & { createdBy: { id: string } } | null }>(TOPIC, { id });
      return topic?.createdBy.id === viewerId ? topic : null;
    },
    enabled: id !== undefined,
  });
}

/** Those subscribed to a topic whose address has `search` in it. */
export function useSubscribers(topicId: string | undefined, search: string) {
  const all = useQuery({
    queryKey: ["topics", "subscribers", topicId],
    queryFn: async () => {
      const { topic } = await ask<
        { topic: { subscribers: Edges & { pageInfo: { hasNextPage: boolean } } | null } | null }
      >(SUBSCRIBERS, { id: topicId, first: MOST_SUBSCRIBERS });
      const { edges = [], pageInfo } = topic?.subscribers ?? {};
      return { people: edges.map(({ node }) => node), hasMore: pageInfo?.hasNextPage ?? false };
    },
    enabled: topicId !== undefined,
  });
  const words = search.trim().toLowerCase();
  const others = useQuery({
    queryKey: ["users", words],
    queryFn: async () => {
      const { users: { edges } } = await ask<{ users: Edges }>(USERS, { search: words, first: MOST_OFFERED });
      return edges.map(({ node }) => node);
    },
    enabled: all.data?.hasMore === true && words !== "",
    placeholderData: keepPreviousData,
  });
  const found = [...all.data?.people ?? [], ...all.data?.hasMore ? others.data ?? [] : []]
    .filter(({ email }) => (email ?? "").toLowerCase().includes(words));
  return {
    people: [...new Map(found.map((one) => [one.id, one])).values()],
    isLoading: all.isLoading || others.isFetching,
    error: all.error ?? others.error,
    retry: () => void all.refetch(),
  };
}
