/**
 * What this library asks of the API: of those services alone without which there are no notifications. The fields of notifications are
 * those that the gateway shares between all who listen.
 */

const NOTIFICATION = "{ id message createdAt cursor status topic { id name } from { id email } }";
const TOPIC = "{ id name status visibility retentionDays createdAt subscribed subscriberCount createdBy { id email } }";
const pageOf = (node: string) => `{ edges { cursor node ${node} } pageInfo { hasNextPage endCursor } }`;

export const FEED_CURSOR = "{ feedCursor }";
export const RECEIVED =
  `subscription ($topicId: ID, $after: String) { item: notificationReceived(topicId: $topicId, after: $after) ${NOTIFICATION} }`;
export const RECEIPTS =
  "subscription ($topicId: ID!, $after: String) { item: notificationAcknowledged(topicId: $topicId, after: $after) { cursor by { id email } at upTo notification { id } } }";
export const UNSEEN = "subscription { item: unseenCountChanged }";
export const INBOX =
  `query ($topicId: ID, $fromUserId: ID, $status: NotificationStatus, $first: Int = 50, $after: String) { page: notifications(topicId: $topicId, fromUserId: $fromUserId, status: $status, first: $first, after: $after) ${
    pageOf(NOTIFICATION)
  } }`;
export const TOPICS =
  `query ($subscribed: Boolean, $mine: Boolean, $search: String, $first: Int = 50, $after: String) { page: topics(subscribed: $subscribed, mine: $mine, search: $search, first: $first, after: $after) ${
    pageOf(TOPIC)
  } }`;
export const SEND =
  `mutation ($topicId: ID!, $message: String!, $to: [ID!], $idempotencyKey: String) { done: sendNotification(topicId: $topicId, message: $message, to: $to, idempotencyKey: $idempotencyKey) ${NOTIFICATION} }`;
export const ACKNOWLEDGE = "mutation ($ids: [ID!]!) { done: acknowledgeNotifications(ids: $ids) { id } }";
export const ACKNOWLEDGE_ALL =
  "mutation ($topicId: ID, $upTo: String) { done: acknowledgeAll(topicId: $topicId, upTo: $upTo) }";
