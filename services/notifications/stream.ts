/**
 * The feed for gateways: `GET /api/feed?after=POSITION` streams JSON lines, each event behind that position in its order, and
 * `{"position": N}` alone when nothing came for a while. Without `after`, from now on; the first line says where that is. Positions are
 * consecutive; `{"position": N, "skipped": true}` says that the events up to there are removed.
 * `POST /api/feed/…` answers what resuming.ts and entities.ts know.
 */

import * as v from "valibot";
import { UserError } from "../../kit/errors.ts";
import { allowMember, readJson } from "../../kit/http.ts";
import { isUuid } from "../../kit/ids.ts";
import type { Service } from "../../kit/service.ts";
import { SECOND } from "../../kit/time.ts";
import type { Entities } from "./entities.ts";
import type { Feed } from "./feed.ts";
import type { FeedEvent } from "./feed_events.ts";
import { feedStreams } from "./metrics.ts";
import type { Resuming } from "./resuming.ts";

/** A line comes at least this often, so that both ends notice a dead connection, in milliseconds. */
const HEARTBEAT_MS = 3 * SECOND;
/** How many viewers one question may be about. */
const VIEWERS_LIMIT = 1_000;

const USER_ID = v.pipe(v.string(), v.check(isUuid, "no UUID"));
const POSITION = v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0)));
const MEMBERSHIPS = v.object({
  viewers: v.pipe(
    v.array(v.object({ userId: USER_ID, topicId: v.nullable(v.string()) })),
    v.maxLength(VIEWERS_LIMIT, `at most ${VIEWERS_LIMIT} viewers`),
  ),
});
const UNSEEN = v.object({
  userIds: v.pipe(v.array(USER_ID), v.maxLength(VIEWERS_LIMIT, `at most ${VIEWERS_LIMIT} users`)),
});
const IDS = v.pipe(v.array(USER_ID), v.maxLength(VIEWERS_LIMIT, `at most ${VIEWERS_LIMIT} ids`));
const TOPICS = v.object({ ids: IDS });
const NOTIFICATIONS = v.object({ ids: IDS, userId: v.nullable(USER_ID) });
const REPLAY = v.object({
  userId: USER_ID,
  topicId: v.nullable(v.string()),
  after: v.nullable(v.string()),
  upTo: POSITION,
});
const ACKNOWLEDGEMENTS = v.object({ ...REPLAY.entries, topicId: v.string() });

export function serveFeed(
  { app, secret, stopping }: Service,
  feed: Feed,
  resuming: Resuming,
  entities: Entities,
): void {
  app.get("/api/feed", async (c) => {
    allowMember(c, secret);
    const given = c.req.query("after");
    if (given !== undefined && !/^\d{1,15}$/.test(given)) throw new UserError("BAD_USER_INPUT", "after is no position");
    const head = await feed.head();
    // A feed that was restored from an older copy is behind the position.
    const start = given === undefined ? head.position : Math.min(Number(given), head.position);
    return new Response(lines(feed, start, head.epoch, stopping), {
      headers: { "content-type": "application/jsonl" },
    });
  });
  app.post("/api/feed/memberships", async (c) => {
    allowMember(c, secret);
    return c.json(await resuming.memberships((await readJson(c, MEMBERSHIPS)).viewers));
  });
  app.post("/api/feed/replay", async (c) => {
    allowMember(c, secret);
    return c.json(await resuming.missed(await readJson(c, REPLAY)));
  });
  app.post("/api/feed/acknowledgements", async (c) => {
    allowMember(c, secret);
    return c.json(await resuming.acknowledgements(await readJson(c, ACKNOWLEDGEMENTS)));
  });
  app.post("/api/feed/unseen", async (c) => {
    allowMember(c, secret);
    return c.json(await resuming.unseen((await readJson(c, UNSEEN)).userIds));
  });
  app.post("/api/feed/topics", async (c) => {
    allowMember(c, secret);
    return c.json(await entities.topics((await readJson(c, TOPICS)).ids));
  });
  app.post("/api/feed/notifications", async (c) => {
    allowMember(c, secret);
    const { ids, userId } = await readJson(c, NOTIFICATIONS);
    return c.json(await entities.notifications(ids, userId));
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
      // Of another epoch no position of before means anything: the gateway begins anew.
      if (signal.aborted || feed.epoch !== epoch) {
        feedStreams.dec();
        return controller.close();
      }
      const text = events.length === 0
        ? `{"position":${position}}\n`
        : events.map((event, nth) => line(event, nth === 0 ? position : events[nth - 1]!.position)).join("");
      position = events.at(-1)?.position ?? position;
      controller.enqueue(encoder.encode(text));
    },
    cancel() {
      feedStreams.dec();
      gone.abort();
    },
  });
}

function line(event: FeedEvent, before: number): string {
  const skip = event.position === before + 1 ? "" : `{"position":${event.position - 1},"skipped":true}\n`;
  return `${skip}${JSON.stringify(event)}\n`;
}
