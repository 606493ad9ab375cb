/**
 * What an event says to every viewer alike: a schema of just these fields, executed here once for a whole group of listeners. A document
 * that asks for anything else is executed for each viewer through the graph (viewer_execution.ts): what is not named here is never
 * shared, so that a new field can't be forgotten.
 */

import { makeExecutableSchema } from "@graphql-tools/schema";
import { type AvatarArguments, avatarUrl } from "../../kit/avatar_url.ts";
import { UserError } from "../../kit/errors.ts";
import type { Entities } from "./entities.ts";
import type { Acknowledged, Delivered } from "./roots.ts";

/** The types are those of the graph; tests/shared_fields_test.ts compares them. */
export const SHARED_SDL = `
  scalar DateTime
  enum NotificationStatus { SENT SEEN }
  enum TopicStatus { ACTIVE INACTIVE }
  enum TopicVisibility { PUBLIC INVITE }
  enum AvatarStyle { GITHUB IDENTICON INITIALS }
  type User {
    id: ID!  email: String  createdAt: DateTime  avatarUrl(size: Int = 128, style: AvatarStyle = GITHUB): String
  }
  type Topic {
    id: ID!  name: String!  status: TopicStatus!  visibility: TopicVisibility!  retentionDays: Int!  createdBy: User!
    createdAt: DateTime!
  }
  type Notification {
    id: ID!  topic: Topic!  from: User!  message: String!  createdAt: DateTime!  cursor: String  status: NotificationStatus!
  }
  type Acknowledgement { cursor: String!  by: User!  at: DateTime!  notification: Notification  upTo: String }
  type Subscription {
    notificationReceived(topicId: ID, after: String): Notification!
    notificationAcknowledged(topicId: ID!, after: String): Acknowledgement!
    unseenCountChanged: Int!
  }
  type Query { nothing: Boolean }
`;

interface Reference {
  readonly id: string;
}

/**
 * What stands in the event itself is read from its root (roots.ts); what other services know, from `entities`; where pictures are is
 * reckoned. @param base where people reach the gateway
 */
export function sharedSchema(entities: Entities, base: string) {
  // Nothing is asked for that the document doesn't ask for.
  const ofUser = (field: "email" | "createdAt") => ({ id }: Reference) =>
    then(entities.users.get(id), (user) => user?.[field]);
  const ofTopic =
    (field: "name" | "status" | "visibility" | "retentionDays" | "createdAt" | "createdById") => ({ id }: Reference) =>
      then(entities.topics.get(id), (topic) => {
        if (topic === null) throw new UserError("NOT_FOUND", "there is no such topic");
        return topic[field];
      });
  const creatorOf = ofTopic("createdById");
  return makeExecutableSchema({
    typeDefs: SHARED_SDL,
    resolvers: {
      User: {
        email: ofUser("email"),
        createdAt: ofUser("createdAt"),
        avatarUrl: ({ id }: Reference, asked: AvatarArguments) => avatarUrl(base, id, asked),
      },
      Topic: {
        name: ofTopic("name"),
        status: ofTopic("status"),
        visibility: ofTopic("visibility"),
        retentionDays: ofTopic("retentionDays"),
        createdAt: ofTopic("createdAt"),
        createdBy: (topic: Reference) => then(creatorOf(topic), (id) => ({ id })),
      },
      Subscription: {
        notificationReceived: { resolve: (root: Delivered) => root },
        notificationAcknowledged: { resolve: (root: Acknowledged) => root },
      },
    },
  });
}

/** Without a promise where there is none: an execution that waits for nothing is done at once. */
function then<Row, Value>(row: Row | Promise<Row>, use: (row: Row) => Value): Value | Promise<Value> {
  return row instanceof Promise ? row.then(use) : use(row);
}
