/** What the pages of topics ask. All of it is kept under the key `topics`, so that one change has all of it asked again. */

import { type InfiniteData, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type * as api from "../../../lib/schema.ts";
import { ask } from "../data/query_client.ts";
import type { Shown } from "./topics_search.ts";

export interface Person {
  readonly id: string;
  readonly email: string | null;
}

export type MailPreference = api.TopicMailPreference;

type OwnFields = Pick<
  api.Topic,
  "id" | "name" | "status" | "visibility" | "retentionDays" | "createdAt" | "subscribed" | "subscriberCount"
>;

/** As lists of topics have it, whose service knows all of this itself: there it is never null. */
export type Topic = { readonly [Name in keyof OwnFields]: NonNullable<OwnFields[Name]> } & {
  readonly createdBy: Person;
  readonly mailPreference: MailPreference | null;
};

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly endCursor: string | null;
}
export type Pages<Item> = InfiniteData<Page<Item>, string | null>;

const PAGE_SIZE = 50;
/** So many people are found by a part of their address. */
const MOST_FOUND = 8;

export const TOPIC_FIELDS =
  "id name status visibility retentionDays createdAt subscribed subscriberCount createdBy { id email } mailPreference { preference every afterMinutes }";

export const topicsKey = ["topics"] as const;
export const listsKey = [...topicsKey, "list"] as const;
export const topicKey = (id: string) => [...topicsKey, "topic", id] as const;
export const peopleKey = (id: string) => [...topicsKey, "people", id] as const;

const LIST = `query ($first: Int, $after: String, $subscribed: Boolean, $mine: Boolean, $search: String) {
  page: topics(first: $first, after: $after, subscribed: $subscribed, mine: $mine, search: $search) {
    edges { node { ${TOPIC_FIELDS} } } pageInfo { hasNextPage endCursor } } }`;

export function topicsQuery(show: Shown, search: string) {
  const filter = { subscribed: show === "joined" ? true : undefined, mine: show === "mine" ? true : undefined, search };
  return infiniteQueryOptions({
    queryKey: [...listsKey, show, search],
    queryFn: ({ pageParam }) => page<Topic>(LIST, { ...filter, after: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ endCursor }) => endCursor,
  });
}

export function topicQuery(id: string) {
  return queryOptions({
    queryKey: topicKey(id),
    queryFn: async () =>
      (await ask<{ topic: Topic | null }>(`query ($id: ID!) { topic(id: $id) { ${TOPIC_FIELDS} } }`, { id })).topic,
  });
}

const PEOPLE = `query ($id: ID!, $first: Int, $after: String) {
  topic(id: $id) { page: subscribers(first: $first, after: $after) {
    edges { node { id email } } pageInfo { hasNextPage endCursor } } } }`;

/** Who is subscribed to a topic, for its creator. */
export function subscribersQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: peopleKey(id),
    queryFn: async ({ pageParam }) => {
      const variables = { id, first: PAGE_SIZE, after: pageParam };
      const { topic } = await ask<{ topic: { page: Edges<Person> | null } | null }>(PEOPLE, variables);
      return pageOf(topic?.page ?? NOBODY);
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ endCursor }) => endCursor,
  });
}

const MAILED = `query ($first: Int, $after: String) { page: mailPreferences(first: $first, after: $after) {
  edges { node { ${TOPIC_FIELDS} } } pageInfo { hasNextPage endCursor } } }`;

/** The topics that the viewer gets mails of. */
export function mailedTopicsQuery() {
  return infiniteQueryOptions({
    queryKey: [...listsKey, "mailed"],
    queryFn: ({ pageParam }) => page<Topic>(MAILED, { after: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ endCursor }) => endCursor,
  });
}

/** People by a part of their address. */
export function findPeopleQuery(search: string) {
  return queryOptions({
    queryKey: ["people", search],
    queryFn: async () => {
      const document =
        "query ($search: String, $first: Int) { page: users(search: $search, first: $first) { edges { node { id email } } pageInfo { hasNextPage endCursor } } }";
      return (await page<Person>(document, { search, first: MOST_FOUND })).items;
    },
    enabled: search !== "",
  });
}

interface Edges<Item> {
  readonly edges: readonly { readonly node: Item }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}
const NOBODY: Edges<never> = { edges: [], pageInfo: { hasNextPage: false, endCursor: null } };

async function page<Item>(document: string, variables: object): Promise<Page<Item>> {
  return pageOf((await ask<{ page: Edges<Item> }>(document, { first: PAGE_SIZE, ...variables })).page);
}

function pageOf<Item>({ edges, pageInfo: { hasNextPage, endCursor } }: Edges<Item>): Page<Item> {
  return { items: edges.map(({ node }) => node), endCursor: hasNextPage ? endCursor : null };
}
