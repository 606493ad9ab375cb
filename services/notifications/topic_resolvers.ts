/** GraphQL of topics: what they are, who sees them, and who belongs to them. */

import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { connection, decodeCursor, encodeCursor, pageSize, unknownCursor } from "../../kit/paging.ts";
import { requireViewer, type SubgraphContext } from "../../kit/subgraph.ts";
import { type MailPreference, type MailPreferences, NO_MAIL } from "./mail/preferences.ts";
import type { Members } from "./members.ts";
import { checkSearch } from "./topic_input.ts";
import type { TopicList } from "./topic_list.ts";
import type { TopicLoaders } from "./topic_loaders.ts";
import type { NewTopic, Topic, TopicChange, Topics, TopicSettings } from "./topics.ts";

export interface Page {
  readonly first?: number | null;
  readonly after?: string | null;
}
interface TopicsArguments extends Page {
  readonly subscribed?: boolean | null;
  readonly mine?: boolean | null;
  readonly search?: string | null;
}
interface OfTopic {
  readonly topicId: string;
}
/** What may be null is as it is where nothing was chosen. */
interface MailPreferenceArguments extends Pick<MailPreference, "preference"> {
  readonly every?: MailPreference["every"] | null;
  readonly afterMinutes?: number | null;
}

export interface TopicParts {
  readonly topics: Topics;
  readonly members: Members;
  readonly list: TopicList;
  readonly preferences: MailPreferences;
  readonly loaders: TopicLoaders;
}

/** The most ids that the gateway asks for at once. */
const BATCH_LIMIT = 1_000;

export function topicResolvers({ topics, members, list, preferences, loaders }: TopicParts) {
  return {
    Query: {
      topic(_: unknown, { id, name }: { id?: string | null; name?: string | null }, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        if ((id == null) === (name == null)) throw new UserError("BAD_USER_INPUT", "topic takes an id or a name");
        return id != null ? topics.find(id, userId) : topics.findByName(name!, userId);
      },
      async topics(_: unknown, { first, after, subscribed, mine, search }: TopicsArguments, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        const size = pageSize(first);
        const filter = { subscribed: subscribed ?? null, mine: mine ?? null, search: checkSearch(search ?? "") };
        const rows = await list.page(userId, filter, idOfCursor(after), size + 1);
        return connection(rows, size, (topic) => encodeCursor([topic.id]));
      },
      async mailPreferences(_: unknown, { first, after }: Page, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        const size = pageSize(first);
        const rows = await preferences.topics(userId, idOfCursor(after), size + 1);
        return connection(rows, size, (topic) => encodeCursor([topic.id]));
      },
      _topics(_: unknown, { ids }: { ids: string[] }, context: SubgraphContext) {
        const { userId } = requireViewer(context);
        if (ids.length > BATCH_LIMIT) throw new UserError("BAD_USER_INPUT", `ids names at most ${BATCH_LIMIT} topics`);
        return topics.known(ids, userId);
      },
    },
    Mutation: {
      createTopic(_: unknown, given: NewTopic, context: SubgraphContext) {
        return topics.create(given, requireViewer(context).userId);
      },
      updateTopic(
        _: unknown,
        { topicId, name, retentionDays, visibility }: OfTopic & TopicChange,
        context: SubgraphContext,
      ) {
        return topics.change(topicId, requireViewer(context).userId, { name, retentionDays, visibility });
      },
      setTopicStatus(
        _: unknown,
        { topicId, status }: OfTopic & Pick<TopicSettings, "status">,
        context: SubgraphContext,
      ) {
        return topics.change(topicId, requireViewer(context).userId, { status });
      },
      async deleteTopic(_: unknown, { topicId }: OfTopic, context: SubgraphContext) {
        await topics.delete(topicId, requireViewer(context).userId);
        return true;
      },
      inviteToTopic(_: unknown, { topicId, userIds }: OfTopic & { userIds: string[] }, context: SubgraphContext) {
        return members.invite(topicId, requireViewer(context).userId, userIds);
      },
      removeSubscriber(_: unknown, { topicId, userId }: OfTopic & { userId: string }, context: SubgraphContext) {
        return members.remove(topicId, requireViewer(context).userId, userId);
      },
      subscribeToTopic(_: unknown, { topicId }: OfTopic, context: SubgraphContext) {
        return members.join(topicId, requireViewer(context).userId);
      },
      unsubscribeFromTopic(_: unknown, { topicId }: OfTopic, context: SubgraphContext) {
        return members.leave(topicId, requireViewer(context).userId);
      },
      async setMailPreference(
        _: unknown,
        { topicId, preference, every, afterMinutes }: OfTopic & MailPreferenceArguments,
        context: SubgraphContext,
      ) {
        const { userId } = requireViewer(context);
        const wanted = {
          preference,
          every: every ?? NO_MAIL.every,
          afterMinutes: afterMinutes ?? NO_MAIL.afterMinutes,
        };
        await preferences.set(topicId, userId, wanted);
        return await topics.one(topicId, userId);
      },
    },
    Topic: {
      createdBy: ({ createdById }: Topic) => ({ id: createdById }),
      subscribed: ({ id }: Topic, _: unknown, context: SubgraphContext) => loaders(context).subscribed.load(id),
      subscriberCount: ({ id }: Topic, _: unknown, context: SubgraphContext) =>
        loaders(context).subscriberCount.load(id),
      mailPreference: ({ id }: Topic, _: unknown, context: SubgraphContext) => loaders(context).mailPreference.load(id),
      async subscribers({ id, createdById }: Topic, { first, after }: Page, context: SubgraphContext) {
        if (requireViewer(context).userId !== createdById) return null;
        const size = pageSize(first);
        const page = { id, after: idOfCursor(after), limit: size + 1 };
        const users = (await loaders(context).subscribers.load(page)).map((userId) => ({ id: userId }));
        return connection(users, size, (user) => encodeCursor([user.id]));
      },
    },
  };
}

/** The id behind which a list goes on. @throws UserError `BAD_USER_INPUT` for a cursor that is none of such a list */
export function idOfCursor(cursor: string | null | undefined): string | null {
  if (cursor == null) return null;
  const [id] = decodeCursor(cursor, 1) as [string];
  if (!isUuid(id)) throw unknownCursor();
  return id;
}
