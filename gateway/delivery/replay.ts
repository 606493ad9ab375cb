/** What one viewer missed, page by page, from the notifications service (`POST /api/feed/replay`). */

import { callFor } from "../../kit/call.ts";
import { SECOND } from "../../kit/time.ts";
import type { Balancer } from "../balancer.ts";

export interface Missed {
  readonly id: string;
  readonly topicId: string;
  readonly fromUserId: string;
  readonly message: string;
  readonly createdAt: string;
  readonly cursor: string;
  readonly seen: boolean;
  readonly recipientCount: number;
}

export interface ReplayPage {
  /** Up to here the pages go, and from here on live delivery does. */
  readonly position: number;
  /** The cursor of `position`. */
  readonly cursor: string;
  /** The topics that the viewer was subscribed to at `position`; of the first page. */
  readonly topicIds: readonly string[];
  readonly missed: readonly Missed[];
  readonly more: boolean;
}

export interface ReplayRequest {
  readonly userId: string;
  readonly topicId: string | null;
  readonly after: string | null;
  readonly upTo: number | null;
}

const LIMIT_MS = 5 * SECOND;

export class Replays {
  constructor(private readonly balancer: Balancer, private readonly secret: string) {}

  /** @throws UserError what is wrong with the topic or the cursor; `SERVICE_UNAVAILABLE` or `TIMEOUT` */
  page(request: ReplayRequest): Promise<ReplayPage> {
    return this.balancer.ask("notifications", LIMIT_MS, ({ url }, limitMs) => {
      return callFor<ReplayPage>(`${url}/api/feed/replay`, { body: request, secret: this.secret, limitMs });
    });
  }
}
