/** One statement for all topics of a request, not one for each; nothing outlives the request. */

import DataLoader from "dataloader";
import { UserError } from "../../kit/errors.ts";
import { requireViewer, type SubgraphContext } from "../../kit/subgraph.ts";
import type { Members } from "./members.ts";
import type { Topic, Topics } from "./topics.ts";

/** A page of a topic's subscribers: up to `limit` behind the user `after`. */
export interface SubscribersPage {
  readonly topicId: string;
  readonly after: string | null;
  readonly limit: number;
}

/** How many subscribers one request may ask for, over all topics. */
const SUBSCRIBERS_LIMIT = 20_000;

export type TopicLoaders = ReturnType<typeof topicLoaders>;

export function topicLoaders(topics: Topics, members: Members) {
  const make = (context: SubgraphContext) => {
    let subscribersAsked = 0;
    return {
      /** Of what the viewer has received or sent. */
      topic: new DataLoader<string, Topic | null>((ids) => topics.known(ids, requireViewer(context).userId)),
      subscribed: new DataLoader<string, boolean>(async (ids) => {
        const subscribed = await members.subscribedAmong(ids, requireViewer(context).userId);
        return ids.map((id) => subscribed.has(id));
      }),
      subscriberCount: new DataLoader<string, number>(async (ids) => {
        const counts = await members.subscriberCounts(ids);
        return ids.map((id) => counts.get(id) ?? 0);
      }),
      /** The users' ids. */
      subscribers: new DataLoader<SubscribersPage, string[], string>(async (pages) => {
        subscribersAsked += pages.reduce((sum, { limit }) => sum + limit, 0);
        if (subscribersAsked > SUBSCRIBERS_LIMIT) {
          throw new UserError("BAD_USER_INPUT", `this asks for more than ${SUBSCRIBERS_LIMIT} subscribers at once`);
        }
        const found = new Map<string, string[]>();
        for (const alike of Map.groupBy(pages, ({ after, limit }) => `${after} ${limit}`).values()) {
          const { after, limit } = alike[0]!;
          const byTopic = await members.subscribers(alike.map(({ topicId }) => topicId), after, limit);
          for (const page of alike) found.set(keyOf(page), byTopic.get(page.topicId)!);
        }
        return pages.map((page) => found.get(keyOf(page))!);
      }, { cacheKeyFn: keyOf }),
    };
  };
  const made = new WeakMap<SubgraphContext, ReturnType<typeof make>>();
  return (context: SubgraphContext) => {
    let found = made.get(context);
    if (found === undefined) made.set(context, found = make(context));
    return found;
  };
}

function keyOf({ topicId, after, limit }: SubscribersPage): string {
  return `${topicId} ${after} ${limit}`;
}
