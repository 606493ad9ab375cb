/** What the two kinds of subscriptions take from the feed, live and from the database's pages, in the shape of the graph's types. */

import { UserError } from "../../kit/errors.ts";
import type { FeedEvent, NotificationEvent, SeenAllEvent, SeenEvent } from "./feed_event.ts";
import { type Acknowledged, acknowledged, type Delivered, delivered, type SeenRow } from "./roots.ts";
import type { Membership, MissedAcknowledgement, MissedNotification, Page, PageRequest, Upstream } from "./upstream.ts";

/** What an execution begins with; `key` names all that it is made of. */
export interface Root {
  readonly key: string;
  readonly root: Delivered | Acknowledged;
}

type Row = MissedNotification | MissedAcknowledgement;

export interface Source {
  readonly kind: "received" | "acknowledged";
  /** @throws UserError where the viewer may not have it */
  check(membership: Membership, userId: string): void;
  page(request: PageRequest): Promise<Page<Row>>;
  ofRow(row: Row): Root;
  /** Undefined for an event of another kind; `isSeen` is asked where it matters. */
  ofEvent(event: FeedEvent, isSeen: (event: NotificationEvent) => boolean): Root | undefined;
}

/** notificationReceived */
export function receivedSource(upstream: Upstream): Source {
  return {
    kind: "received",
    check() {},
    page: (request) => upstream.missed(request),
    ofRow: (row) => {
      const { position, seen } = row as MissedNotification;
      return { key: `${position} ${seen}`, root: delivered(row as MissedNotification, seen) };
    },
    ofEvent(event, isSeen) {
      if (event.kind !== "notification") return undefined;
      const seen = isSeen(event);
      return { key: `${event.position} ${seen}`, root: delivered(event, seen) };
    },
  };
}

/** notificationAcknowledged; `load` gives the notification that an acknowledgement names, as the topic's creator sees it. */
export function acknowledgedSource(
  upstream: Upstream,
  load: (id: string) => Promise<Delivered | null>,
): Source {
  const ofSeen = (event: SeenRow): Root => {
    const id = "notificationId" in event ? event.notificationId : null;
    return { key: `${event.position}`, root: acknowledged(event, id === null ? null : () => load(id)) };
  };
  return {
    kind: "acknowledged",
    check({ createdBy }, userId) {
      if (createdBy !== userId) {
        throw new UserError("FORBIDDEN", "only the creator of a topic may see who acknowledged what");
      }
    },
    page: (request) => upstream.missedAcknowledgements(request),
    ofRow: (row) => ofSeen(row as MissedAcknowledgement),
    ofEvent: (event) => isSeenEvent(event) ? ofSeen(event) : undefined,
  };
}

function isSeenEvent(event: FeedEvent): event is SeenEvent | SeenAllEvent {
  return event.kind === "seen" || event.kind === "seenAll";
}
