/** GraphQL of the inbox; topics are topic_resolvers.ts's, and sending is the gateway's, since it is a transaction over several services. */

import { isUuid } from "../../kit/ids.ts";
import { connection, pageSize } from "../../kit/paging.ts";
import { requireViewer, type SubgraphContext } from "../../kit/subgraph.ts";
import { cursorExpired, encodeFeedCursor } from "./cursors.ts";
import type { Feed } from "./feed.ts";
import type { Inbox, Received } from "./inbox.ts";
import { topicLoaders } from "./topic_loaders.ts";
import { type Page, type TopicParts, topicResolvers } from "./topic_resolvers.ts";

interface InboxArguments extends Page {
  readonly topicId?: string | null;
  readonly fromUserId?: string | null;
  readonly status?: "SENT" | "SEEN" | null;
}

export interface Parts extends Omit<TopicParts, "loaders"> {
  readonly feed: Feed;
  readonly inbox: Inbox;
}

export function resolvers({ feed, inbox, topics, members, list }: Parts) {
  const loaders = topicLoaders(topics, members);
  const ofTopics = topicResolvers({ topics, members, list, loaders });

  async function positionOf(cursor: string | null | undefined): Promise<number | null> {
    if (cursor == null) return null;
    return await feed.positionOf(cursor) ?? Promise.reject(cursorExpired(encodeFeedCursor(feed.epoch, 0)));
  }

  return {
    ...ofTopics,
    Query: {
      ...ofTopics.Query,
      async notifications(_: unknown, given: InboxArguments, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        const size = pageSize(given.first);
        const before = await positionOf(given.after);
        if (given.topicId != null) await topics.one(given.topicId, userId);
        const filter = {
          topicId: given.topicId ?? null,
          fromUserId: given.fromUserId ?? null,
          seen: given.status == null ? null : given.status === "SEEN",
        };
        const nobody = filter.fromUserId !== null && !isUuid(filter.fromUserId);
        const rows = nobody ? [] : await inbox.page(userId, filter, before, size + 1);
        return connection(rows, size, (row) => encodeFeedCursor(feed.epoch, row.position));
      },
      async unseenCount(_: unknown, { topicId }: { topicId?: string | null }, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        if (topicId != null) await topics.one(topicId, userId);
        return await inbox.unseenCount(userId, topicId ?? null);
      },
    },
    Mutation: {
      ...ofTopics.Mutation,
      acknowledgeNotifications(_: unknown, { ids }: { ids: string[] }, context: SubgraphContext) {
        return inbox.acknowledge(requireViewer(context).userId, ids);
      },
    },
    Notification: {
      topic: ({ topicId }: Received, _: unknown, context: SubgraphContext) => loaders(context).topic.load(topicId),
      from: ({ fromUserId }: Received) => ({ id: fromUserId }),
      cursor: ({ position }: Received) => encodeFeedCursor(feed.epoch, position),
      status: ({ seen }: Received) => seen ? "SEEN" : "SENT",
    },
  };
}
