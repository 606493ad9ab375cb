/** GraphQL of the inbox; topics are topic_resolvers.ts's, and sending is the gateway's, since it is a transaction over several services. */

import DataLoader from "dataloader";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import type { Sql } from "../../kit/database.ts";
import { connection, encodeCursor, pageSize } from "../../kit/paging.ts";
import { perRequest, requireViewer, type SubgraphContext } from "../../kit/subgraph.ts";
import { cursorExpired, encodeFeedCursor } from "./cursors.ts";
import type { Feed } from "./feed.ts";
import type { Inbox, Received } from "./inbox.ts";
import { receiptLoaders } from "./receipts.ts";
import { topicLoaders } from "./topic_loaders.ts";
import { idOfCursor, type Page, type TopicParts, topicResolvers } from "./topic_resolvers.ts";

interface InboxArguments extends Page {
  readonly topicId?: string | null;
  readonly fromUserId?: string | null;
  readonly status?: "SENT" | "SEEN" | null;
}

export interface Parts extends Omit<TopicParts, "loaders"> {
  readonly feed: Feed;
  readonly inbox: Inbox;
  readonly sql: Sql;
}

/** The most ids that the gateway asks for at once. */
const BATCH_LIMIT = 1_000;

export function resolvers({ feed, inbox, sql, topics, members, list, preferences }: Parts) {
  const loaders = topicLoaders(topics, members, preferences);
  const seenCounts = seenCountLoaders(inbox);
  const receipts = receiptLoaders(sql);
  const ofTopics = topicResolvers({ topics, members, list, preferences, loaders });

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
      async sentNotifications(_: unknown, given: Page & { topicId?: string | null }, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        const size = pageSize(given.first);
        const before = await positionOf(given.after);
        if (given.topicId != null) await topics.one(given.topicId, userId);
        const rows = await inbox.sent(userId, given.topicId ?? null, before, size + 1);
        return connection(rows, size, (row) => encodeFeedCursor(feed.epoch, row.position));
      },
      async notification(_: unknown, { id }: { id: string }, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        const [found] = isUuid(id) ? await inbox.known(userId, [id]) : [];
        return found ?? null;
      },
      async unseenCount(_: unknown, { topicId }: { topicId?: string | null }, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        if (topicId != null) await topics.one(topicId, userId);
        return await inbox.unseenCount(userId, topicId ?? null);
      },
      async feedCursor(_parent: unknown, _arguments: unknown, context: SubgraphContext) {
        requireViewer(context);
        const { epoch, position } = await feed.head();
        return encodeFeedCursor(epoch, position);
      },
      async _notifications(_: unknown, { ids }: { ids: string[] }, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        if (ids.length > BATCH_LIMIT) throw new UserError("BAD_USER_INPUT", `ids names at most ${BATCH_LIMIT}`);
        const found = new Map((await inbox.known(userId, ids.filter(isUuid))).map((one) => [one.id, one]));
        return ids.map((id) => found.get(id.toLowerCase()) ?? null);
      },
    },
    Mutation: {
      ...ofTopics.Mutation,
      acknowledgeNotifications(_: unknown, { ids }: { ids: string[] }, context: SubgraphContext) {
        return inbox.acknowledge(requireViewer(context).userId, ids);
      },
      async acknowledgeAll(
        _: unknown,
        { topicId, upTo }: { topicId?: string | null; upTo?: string | null },
        context: SubgraphContext,
      ) {
        const { userId } = requireViewer(context);
        if (topicId != null) await topics.one(topicId, userId);
        return await inbox.acknowledgeAll(userId, topicId ?? null, await positionOf(upTo));
      },
      async retractNotification(_: unknown, { id }: { id: string }, context: SubgraphContext) {
        await inbox.retract(requireViewer(context).userId, id);
        return true;
      },
    },
    Notification: {
      topic: ({ topicId }: Received, _: unknown, context: SubgraphContext) => loaders(context).topic.load(topicId),
      from: ({ fromUserId }: Received) => ({ id: fromUserId }),
      cursor: ({ position }: Received) => encodeFeedCursor(feed.epoch, position),
      status: ({ seen }: Received) => seen ? "SEEN" : "SENT",
      recipientCount: ({ fromUserId, recipientCount }: Received, _: unknown, context: SubgraphContext) =>
        fromUserId === requireViewer(context).userId ? recipientCount : null,
      seenCount: ({ id, fromUserId }: Received, _: unknown, context: SubgraphContext) =>
        fromUserId === requireViewer(context).userId ? seenCounts(context).load(id) : null,
      async seenBy({ id, fromUserId }: Received, { first, after }: Page, context: SubgraphContext) {
        if (fromUserId !== requireViewer(context).userId) return null;
        const size = pageSize(first);
        const rows = await receipts(context).load({ id, after: idOfCursor(after), limit: size + 1 });
        const page = connection(rows, size, ({ userId }) => encodeCursor([userId]));
        return {
          ...page,
          edges: page.edges.map(({ node: { userId, at }, cursor }) => ({ node: { id: userId }, cursor, at })),
        };
      },
    },
  };
}

/** One statement for all notifications of a request. */
function seenCountLoaders(inbox: Inbox) {
  return perRequest(() =>
    new DataLoader<string, number>(async (ids) => {
      const counts = await inbox.seenCounts(ids);
      return ids.map((id) => counts.get(id) ?? 0);
    })
  );
}
