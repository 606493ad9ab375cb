/**
 * What the gateways ask about sessions that end, on routes that only members of the cluster may ask. In: ended_sessions.ts.
 * Out: to `gateway/ended_sessions.ts`. Sessions go by the SHA-256 of their token, as base64.
 *
 * `GET /api/sessions/ended?after=POSITION&epoch=EPOCH` streams JSON lines:
 * - `{"position", "epoch", "lost"}` first: where the stream begins. `lost` says that it can't go on behind `after`, because that was too
 *   long ago or in another database; it begins at the newest end then, and the reader has to ask about every session that it knows.
 *   The same line may come later, when the reader has fallen behind. Without `after` the stream begins at the newest end.
 * - `{"position", "hash"}`: a session has ended. Positions are consecutive.
 * - `{"position"}` when nothing came for a while: all that has ended up to here was told.
 *
 * `POST /api/sessions/living` takes `{"hashes": […]}`, at most 1,000, and answers those that live: `{"living": [{"hash", "expiresAt"}]}`.
 */

import * as v from "valibot";
import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { allowMember, type App, readJson } from "../../kit/http.ts";
import { SECOND } from "../../kit/time.ts";
import type { EndedPage, EndedSessions, Place } from "./ended_sessions.ts";
import { endedStreams } from "./metrics.ts";
import { livingSessions } from "./sessions.ts";

/** A line comes at least this often, so that a gateway soon notices a node that is dead, frozen or without its database, in milliseconds. */
const HEARTBEAT_MS = SECOND / 2;
const MOST_HASHES = 1_000;

const LIVING = v.object({
  hashes: v.pipe(
    v.array(v.pipe(v.string(), v.regex(/^[\w+/]{43}=$/, "no SHA-256 as base64"))),
    v.maxLength(MOST_HASHES, `at most ${MOST_HASHES}`),
  ),
});

export interface EndedRoutesOptions {
  readonly sql: Sql;
  readonly ended: EndedSessions;
  readonly secret: string;
  readonly stopping: AbortSignal;
}

export function addEndedRoutes(app: App, { sql, ended, secret, stopping }: EndedRoutesOptions): void {
  app.get("/api/sessions/ended", async (c) => {
    allowMember(c, secret);
    const after = placeOf(c.req.query("after"), c.req.query("epoch"));
    const first = await ended.page(after);
    return new Response(lines(ended, after !== undefined && !first.lost ? after : first, first.lost, stopping), {
      headers: { "content-type": "application/jsonl" },
    });
  });

  app.post("/api/sessions/living", async (c) => {
    allowMember(c, secret);
    const { hashes } = await readJson(c, LIVING);
    return c.json({ living: await livingSessions(sql, hashes) });
  });
}

function placeOf(after: string | undefined, epoch: string | undefined): Place | undefined {
  if (after === undefined) return undefined;
  if (!/^\d{1,15}$/.test(after)) throw new UserError("BAD_USER_INPUT", "after is no position");
  // A position of an unknown epoch is one that can't be gone on from.
  return { position: Number(after), epoch: epoch ?? "" };
}

function lines(ended: EndedSessions, { position, epoch }: Place, lost: boolean, stopping: AbortSignal) {
  const encoder = new TextEncoder();
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, stopping]);
  let place: Place = { position, epoch };
  endedStreams.inc();
  signal.addEventListener("abort", () => endedStreams.dec(), { once: true });
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`${JSON.stringify({ ...place, lost })}\n`));
    },
    // Asked for when the gateway has read what went before, so that a slow one holds no memory here.
    async pull(controller) {
      try {
        const page = await ended.next(place, HEARTBEAT_MS, signal);
        if (gone.signal.aborted) return;
        if (stopping.aborted) return controller.close();
        place = { position: page.position, epoch: page.epoch };
        controller.enqueue(encoder.encode(textOf(page)));
      } catch {
        // Without its database, of which ended_sessions.ts tells the log, this node knows of no end: the gateway goes on at another.
        if (gone.signal.aborted) return;
        gone.abort();
        controller.close();
      }
    },
    cancel: () => gone.abort(),
  });
}

function textOf({ position, epoch, ended, lost }: EndedPage): string {
  if (lost) return `${JSON.stringify({ position, epoch, lost })}\n`;
  if (ended.length === 0) return `{"position":${position}}\n`;
  return ended.map((one) => `${JSON.stringify(one)}\n`).join("");
}
