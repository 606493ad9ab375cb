/** What the hub asks of the services, on routes for members of the cluster: `services/notifications/stream.ts`, `services/auth/routes.ts`. */

import { callFor } from "../../kit/call.ts";
import { SECOND } from "../../kit/time.ts";
import type { Balancer } from "../balancer.ts";

export interface Viewer {
  readonly userId: string;
  /** Null is every topic. */
  readonly topicId: string | null;
}

export interface Membership {
  /** Of those asked for, the topics that the viewer is subscribed to. */
  readonly topicIds: readonly string[];
  /** Of the topic asked for. */
  readonly createdBy?: string;
  readonly error?: { readonly code: string; readonly error: string };
}

export interface Memberships {
  /** At which all of it holds. */
  readonly position: number;
  readonly epoch: string;
  readonly viewers: readonly Membership[];
}

export interface MissedNotification {
  readonly id: string;
  readonly topicId: string;
  readonly fromUserId: string;
  readonly message: string;
  readonly createdAt: string;
  readonly position: number;
  readonly cursor: string;
  readonly seen: boolean;
}

export interface MissedAcknowledgement {
  readonly cursor: string;
  readonly position: number;
  readonly userId: string;
  readonly at: string;
  readonly notificationId: string | null;
  readonly upTo: string | null;
}

export interface Page<Row> {
  /** Up to here the pages go, and from here on the stream of the feed does. */
  readonly position: number;
  /** The topics that the viewer was subscribed to at `position`; of the first page. */
  readonly topicIds?: readonly string[];
  readonly missed: readonly Row[];
  readonly more: boolean;
}

export interface PageRequest extends Viewer {
  readonly after: string;
  /** On the following pages, what the first one answered as `position`. */
  readonly upTo: number | null;
}

export interface UserRow {
  readonly id: string;
  readonly email: string | null;
  readonly createdAt: string | null;
}

export interface TopicRow {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly visibility: string;
  readonly retentionDays: number;
  readonly createdById: string;
  readonly createdAt: string;
}

const LIMIT_MS = 5 * SECOND;

/** Each of these throws a UserError: what is wrong with the question, or `SERVICE_UNAVAILABLE` or `TIMEOUT`. */
export class Upstream {
  constructor(private readonly balancer: Balancer, private readonly secret: string) {}

  memberships(viewers: readonly Viewer[]): Promise<Memberships> {
    return this.#ask("notifications", "/api/feed/memberships", { viewers });
  }

  missed(request: PageRequest): Promise<Page<MissedNotification>> {
    return this.#ask("notifications", "/api/feed/replay", request);
  }

  missedAcknowledgements(request: PageRequest): Promise<Page<MissedAcknowledgement>> {
    return this.#ask("notifications", "/api/feed/acknowledgements", request);
  }

  unseen(userIds: readonly string[]): Promise<{ position: number; counts: number[] }> {
    return this.#ask("notifications", "/api/feed/unseen", { userIds });
  }

  /** In the order of `ids`; null for an unknown one. */
  topics(ids: readonly string[]): Promise<(TopicRow | null)[]> {
    return this.#ask("notifications", "/api/feed/topics", { ids });
  }

  /** `seen` is `userId`'s own. */
  notifications(ids: readonly string[], userId: string | null): Promise<(MissedNotification | null)[]> {
    return this.#ask("notifications", "/api/feed/notifications", { ids, userId });
  }

  users(ids: readonly string[]): Promise<(UserRow | null)[]> {
    return this.#ask("auth", "/api/users", { ids });
  }

  #ask<Answer>(service: string, path: string, body: unknown): Promise<Answer> {
    return this.balancer.ask(service, LIMIT_MS, ({ url }, limitMs) => {
      return callFor<Answer>(url + path, { body, secret: this.secret, limitMs });
    });
  }
}
