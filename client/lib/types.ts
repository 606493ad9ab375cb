/** What the library's methods give, as parts of the API's types (schema.ts, generated). */

import type * as api from "./schema.ts";

export type Person = Pick<api.User, "id" | "email">;

export type Notification = Pick<api.Notification, "id" | "message" | "createdAt" | "cursor" | "status"> & {
  readonly topic: Pick<api.Topic, "id" | "name">;
  readonly from: Person;
};

export type Topic =
  & Pick<
    api.Topic,
    "id" | "name" | "status" | "visibility" | "retentionDays" | "createdAt" | "subscribed" | "subscriberCount"
  >
  & { readonly createdBy: Person };

/** Who has seen what: one notification, or all of the topic up to a cursor. */
export type Receipt = Pick<api.Acknowledgement, "cursor" | "at" | "upTo"> & {
  readonly by: Person;
  readonly notification: Pick<api.Notification, "id"> | null;
};

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly hasNextPage: boolean;
  /** Given as `after`, the next page comes. */
  readonly endCursor: string | null;
}

export type InboxFilter = api.QueryNotificationsArgs;
export type TopicFilter = api.QueryTopicsArgs;
