/**
 * The feed for the gateways, on routes that only members of the cluster may ask. In: feed.ts and inbox.ts.
 * Out: to `gateway/delivery/feed.ts`.
 *
 * `GET /api/feed?after=POSITION` streams JSON lines: each event behind that position in its order, and `{"position": N}` alone when
 * nothing came for a while. Without `after`, from now on; the first line says where that is.
 * `POST /api/feed/replay` says what one viewer missed, and where live delivery goes on from.
 */

import * as v from "valibot";
import { UserError } from "../../kit/errors.ts";
import { allowMember, readJson } from "../../kit/http.ts";
import { isUuid } from "../../kit/ids.ts";
import type { Sql } from "../../kit/database.ts";
import type { Service } from "../../kit/service.ts";
import { SECOND } from "../../kit/time.ts";
import { encodeFeedCursor, feedPositionOf } from "./cursors.ts";
import type { Feed } from "./feed.ts";
import type { Inbox } from "./inbox.ts";
import { feedStreams } from "./metrics.ts";
import { noSuchTopic } from "./topics.ts";

/** A line comes at least this often, so that both ends notice a dead connection, in milliseconds. */
const HEARTBEAT_MS = 3 * SECOND;
/** How many missed notifications one answer holds. */
const REPLAY_PAGE = 500;

const REPLAY = v.object({
  userId: v.pipe(v.string(), v.check(isUuid, "no UUID")),
  topicId: v.nullable(v.string()),
  /** A client's cursor; null to begin now. */
  after: v.nullable(v.string()),
  /** On the following pages, what the first one answered as `position`. */
  upTo: v.nullable(v.number()),
});

export function serveFeed({ app, secret, stopping }: Service, sql: Sql, feed: Feed, inbox: Inbox): void {
  app.get("/api/feed", async (c) => {
    allowMember(c, secret);
    const given = c.req.query("after");
    if (given !== undefined && !/^\d{1,15}$/.test(given)) throw new UserError("BAD_USER_INPUT", "after is no position");
    const [head] = await sql<{ epoch: string; position: number }[]>`select epoch, position from feed_head`;
    const start = given === undefined ? head!.position : Number(given);
    return new Response(lines(feed, start, head!.epoch, stopping), {
      headers: { "content-type": "application/jsonl" },
    });
  });

  app.post("/api/feed/replay", async (c) => {
    allowMember(c, secret);
    const { userId, topicId, after, upTo } = await readJson(c, REPLAY);
    if (topicId !== null && !isUuid(topicId)) throw noSuchTopic();
    const from = after === null ? null : await feedPositionOf(sql, after);
    // One statement, one snapshot: the topics are those of exactly this position.
    const [now] = await sql<{ epoch: string; position: number; topic_ids: string[]; known: boolean }[]>`
      select epoch, position, ${
      topicId === null ? sql`true` : sql`exists (select from topics where id = ${topicId})`
    } as known,
        array(select topic_id from subscriptions where user_id = ${userId} and "left" is null
          ${topicId === null ? sql`` : sql`and topic_id = ${topicId}`}) as topic_ids
      from feed_head`;
    if (!now!.known) throw noSuchTopic();
    const position = upTo ?? now!.position;
    const missed = from === null ? [] : await inbox.missed(userId, topicId, from, position, REPLAY_PAGE);
    return c.json({
      position,
      cursor: encodeFeedCursor(now!.epoch, position),
      topicIds: now!.topic_ids,
      missed: missed.map((one) => ({ ...one, cursor: encodeFeedCursor(now!.epoch, one.position) })),
      more: missed.length === REPLAY_PAGE,
    });
  });
}

function lines(feed: Feed, start: number, epoch: string, stopping: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, stopping]);
  let position = start;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      feedStreams.inc();
      controller.enqueue(encoder.encode(`${JSON.stringify({ position, epoch })}\n`));
    },
    // Asked for when the gateway has read what went before, so that a slow one holds no memory here.
    async pull(controller) {
      const events = await feed.after(position, HEARTBEAT_MS, signal);
      if (signal.aborted) {
        feedStreams.dec();
        return controller.close();
      }
      position = events.at(-1)?.position ?? position;
      const text = events.length === 0
        ? `{"position":${position}}\n`
        : events.map((event) => `${JSON.stringify(event)}\n`).join("");
      controller.enqueue(encoder.encode(text));
    },
    cancel() {
      feedStreams.dec();
      gone.abort();
    },
  });
}
