/**
 * Notifyx in an app of your own: what arrives, each once and in order, and everything that a user does. README.md beside this file has
 * a program to begin with.
 */

export { createNotifyx } from "./notifyx.ts";
export { NotifyxError } from "./errors.ts";
export type { GraphQLErrorLike } from "./errors.ts";
export type { Notifyx, NotifyxEvents, SendOptions } from "./interface.ts";
export type { NotifyxOptions } from "./options.ts";
export type { Connection } from "./link.ts";
export type { CursorStore } from "./cursors.ts";
export type { Observable } from "./observable.ts";
export type { Timing } from "./timing.ts";
export type { InboxFilter, Notification, Page, Person, Receipt, Topic, TopicFilter } from "./types.ts";
/** All types of the API, for what `query` asks. */
export type * as api from "./schema.ts";
