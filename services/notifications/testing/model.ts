/**
 * The inbox as the contract tells it, without any arithmetic: a list of notifications, each with who received it and who has seen it. It
 * follows the feed's events one after the other.
 */

import assert from "node:assert/strict";
import type { FeedEvent, MembershipEvent } from "../feed_events.ts";

export interface Sent {
  readonly position: number;
  readonly id: string;
  readonly topicId: string;
  readonly receivers: ReadonlySet<string>;
  readonly recipientCount: number;
  readonly seenBy: Set<string>;
  retracted: boolean;
  removed: boolean;
}

export class Model {
  /** In the order of positions. */
  readonly sent: Sent[] = [];
  readonly deleted = new Set<string>();
  readonly #leaves: MembershipEvent[] = [];
  readonly #members = new Map<string, Set<string>>();

  apply(event: FeedEvent): void {
    switch (event.kind) {
      case "notification": {
        const members = this.members(event.topicId);
        const receivers = event.to === null ? new Set(members) : new Set(event.to).intersection(members);
        const { position, id, topicId, recipientCount } = event;
        this.sent.push({
          position,
          id,
          topicId,
          receivers,
          recipientCount,
          seenBy: new Set(),
          retracted: false,
          removed: false,
        });
        break;
      }
      case "join":
        this.members(event.topicId).add(event.userId);
        break;
      case "leave":
        this.members(event.topicId).delete(event.userId);
        this.#leaves.push(event);
        break;
      case "seen": {
        const one = this.sent.find(({ id }) => id === event.notificationId)!;
        assert.ok(one.receivers.has(event.userId), "seen by somebody who didn't receive it");
        assert.ok(!one.seenBy.has(event.userId), "seen by somebody who had seen it before");
        one.seenBy.add(event.userId);
        break;
      }
      case "seenAll": {
        const fresh = this.inbox(event.userId, event.topicId, false).filter((one) =>
          one.position <= event.upToPosition
        );
        assert.ok(fresh.length > 0, "nothing became seen by a seenAll");
        for (const one of fresh) one.seenBy.add(event.userId);
        break;
      }
      case "retract":
        this.sent.find(({ id }) => id === event.id)!.retracted = true;
        break;
      case "prune":
        for (const one of this.sent) {
          if (one.topicId === event.topicId && one.position <= event.upToPosition) one.removed = true;
        }
        break;
      case "delete":
        this.deleted.add(event.topicId);
        break;
      case "topic":
    }
  }

  members(topicId: string): Set<string> {
    let found = this.#members.get(topicId);
    if (found === undefined) this.#members.set(topicId, found = new Set());
    return found;
  }

  /** The positions at which a user left a topic. */
  leaves(userId: string): number[] {
    return this.#leaves.filter((event) => event.userId === userId).map(({ position }) => position);
  }

  /** What is there yet, of a topic or of all, newest first. */
  live(topicId: string | null): Sent[] {
    return this.sent.filter((one) =>
      !one.retracted && !one.removed && !this.deleted.has(one.topicId) && (topicId === null || one.topicId === topicId)
    ).reverse();
  }

  /** What a user received, newest first; only what is seen, or isn't. */
  inbox(userId: string, topicId: string | null, seen: boolean | null): Sent[] {
    return this.live(topicId).filter((one) =>
      one.receivers.has(userId) && (seen === null || one.seenBy.has(userId) === seen)
    );
  }

  /** The position of the last that the user received behind `after` and that was removed; 0 where there is none. */
  lost(userId: string, topicId: string | null, after: number): number {
    return this.sent.findLast((one) =>
      one.removed && !one.retracted && one.position > after && one.receivers.has(userId) &&
      !this.deleted.has(one.topicId) && (topicId === null || one.topicId === topicId)
    )?.position ?? 0;
  }
}
