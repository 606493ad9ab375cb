/** GraphQL of topics, subscriptions and the inbox; sending is the gateway's, since it is a transaction over several services. */

import DataLoader from "dataloader";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { connection, decodeCursor, encodeCursor, pageSize, unknownCursor } from "../../kit/paging.ts";
import { requireViewer, type SubgraphContext } from "../../kit/subgraph.ts";
import { cursorExpired, encodeFeedCursor } from "./cursors.ts";
import type { Feed } from "./feed.ts";
import type { Inbox, Received } from "./inbox.ts";
import type { Topic, Topics } from "./topics.ts";

interface Page {
  readonly first: number | null;
  readonly after: string | null;
}
interface InboxArguments extends Page {
  readonly topicId?: string | null;
  readonly fromUserId?: string | null;
  readonly status?: "SENT" | "SEEN" | null;
}

export interface Parts {
  readonly feed: Feed;
  readonly topics: Topics;
  readonly inbox: Inbox;
}

/** The most ids that the gateway asks for at once. */
const BATCH_LIMIT = 1_000;

export function resolvers({ feed, topics, inbox }: Parts) {
  const loadersOf = loaders(topics);

  async function positionOf(cursor: string | null | undefined): Promise<number | null> {
    if (cursor == null) return null;
    return await feed.positionOf(cursor) ?? Promise.reject(cursorExpired(encodeFeedCursor(feed.epoch, 0)));
  }

  return {
    Query: {
      async topic(_: unknown, { id, name }: { id?: string | null; name?: string | null }, context: SubgraphContext) {
        requireViewer(context);
        if ((id == null) === (name == null)) throw new UserError("BAD_USER_INPUT", "topic takes an id or a name");
        return id != null ? (await topics.byIds([id]))[0] : await topics.byName(name!);
      },
      async topics(
        _: unknown,
        { first, after, subscribed }: Page & { subscribed?: boolean | null },
        context: SubgraphContext,
      ) {
        const { userId } = requireViewer(context);
        const size = pageSize(first);
        const [behind = null] = after === null || after === undefined ? [] : decodeCursor(after, 1);
        if (behind !== null && !isUuid(behind)) throw unknownCursor();
        const rows = await topics.list(userId, behind, size + 1, subscribed ?? null);
        return connection(rows, size, (topic) => encodeCursor([topic.id]));
      },
      async notifications(_: unknown, given: InboxArguments, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        const size = pageSize(given.first);
        const before = await positionOf(given.after);
        if (given.topicId != null) await topics.one(given.topicId);
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
        if (topicId != null) await topics.one(topicId);
        return await inbox.unseenCount(userId, topicId ?? null);
      },
      _topics(_: unknown, { ids }: { ids: string[] }, context: SubgraphContext) {
        requireViewer(context);
        if (ids.length > BATCH_LIMIT) throw new UserError("BAD_USER_INPUT", `ids names at most ${BATCH_LIMIT} topics`);
        return topics.byIds(ids);
      },
    },
    Mutation: {
      createTopic(_: unknown, { name }: { name: string }, context: SubgraphContext) {
        return topics.create(name, requireViewer(context).userId);
      },
      setTopicStatus(
        _: unknown,
        { topicId, status }: { topicId: string; status: Topic["status"] },
        context: SubgraphContext,
      ) {
        return topics.setStatus(topicId, status, requireViewer(context).userId);
      },
      async subscribeToTopic(_: unknown, { topicId }: { topicId: string }, context: SubgraphContext) {
        await topics.join(topicId, requireViewer(context).userId);
        return await topics.one(topicId);
      },
      async unsubscribeFromTopic(_: unknown, { topicId }: { topicId: string }, context: SubgraphContext) {
        await topics.leave(topicId, requireViewer(context).userId);
        return await topics.one(topicId);
      },
      acknowledgeNotifications(_: unknown, { ids }: { ids: string[] }, context: SubgraphContext) {
        return inbox.acknowledge(requireViewer(context).userId, ids);
      },
    },
    Topic: {
      createdBy: ({ createdById }: Topic) => ({ id: createdById }),
      subscribed: ({ id }: Topic, _: unknown, context: SubgraphContext) => loadersOf(context).subscribed.load(id),
      subscriberCount: ({ id }: Topic, _: unknown, context: SubgraphContext) =>
        loadersOf(context).subscriberCount.load(id),
    },
    Notification: {
      topic: ({ topicId }: Received, _: unknown, context: SubgraphContext) => loadersOf(context).topic.load(topicId),
      from: ({ fromUserId }: Received) => ({ id: fromUserId }),
      cursor: ({ position }: Received) => encodeFeedCursor(feed.epoch, position),
      status: ({ seen }: Received) => seen ? "SEEN" : "SENT",
    },
  };
}

/** One statement for all topics of a request, not one for each; nothing outlives the request. */
function loaders(topics: Topics) {
  const make = (context: SubgraphContext) => ({
    topic: new DataLoader<string, Topic | null>((ids) => topics.byIds(ids)),
    subscribed: new DataLoader<string, boolean>(async (ids) => {
      const subscribed = await topics.subscribedAmong(ids, requireViewer(context).userId);
      return ids.map((id) => subscribed.has(id));
    }),
    subscriberCount: new DataLoader<string, number>(async (ids) => {
      const counts = await topics.subscriberCounts(ids);
      return ids.map((id) => counts.get(id) ?? 0);
    }),
  });
  const made = new WeakMap<SubgraphContext, ReturnType<typeof make>>();
  return (context: SubgraphContext) => {
    let found = made.get(context);
    if (found === undefined) made.set(context, found = make(context));
    return found;
  };
}
