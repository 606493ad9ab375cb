/**
 * The same three calls on one WebSocket for each gateway, `GET /api/channel_2pc`: an HTTP request costs both ends more than all the rest
 * of a call. Measured between two processes: fetch and Deno.serve 70 µs a call, a frame each way 15 µs; and what arrives together
 * wakes a process once. A participant without it is called by HTTP (contract), and so is one whose channel isn't open yet.
 *
 * In: `{"id": 7, "call": "prepare", "body": {…}}`, the body as in the contract, and `"traceparent"` where the call is traced, as its header
 * would be. Out: `{"id": 7, "status": 200, "body": {…}}`, in any order.
 */

import * as v from "valibot";
import { reason } from "../directory.ts";
import { allowMember } from "../http.ts";
import type { Service } from "../service.ts";
import { UserError } from "../errors.ts";
import { type Answer, type Calls, SHAPES } from "./calls.ts";

/** How many calls of one channel may be under way. */
const AT_ONCE = 1_000;
/** A peer that hasn't answered a ping for so long is gone, in seconds. */
const IDLE_LIMIT_SECONDS = 15;
const FRAME = v.object({
  id: v.number(),
  call: v.picklist(["prepare", "commit", "rollback"]),
  body: v.unknown(),
  traceparent: v.optional(v.unknown()),
});
type Frame = v.InferOutput<typeof FRAME>;

export function serveChannel({ app, log, secret, stopping }: Service, calls: Calls): void {
  app.get("/api/channel_2pc", (c) => {
    allowMember(c, secret);
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new UserError("BAD_USER_INPUT", "this route takes a WebSocket");
    }
    const { socket, response } = Deno.upgradeWebSocket(c.req.raw, { idleTimeout: IDLE_LIMIT_SECONDS });
    let underWay = 0;
    // At the stop: no more calls, and the answers of those that are under way.
    const end = () => underWay === 0 && socket.readyState === WebSocket.OPEN && socket.close(1001, "stops");
    stopping.addEventListener("abort", end, { once: true });
    socket.onclose = () => stopping.removeEventListener("abort", end);

    socket.onmessage = async ({ data }) => {
      const frame = parse(data);
      if (frame === undefined) return socket.close(1008, "no call");
      if (underWay >= AT_ONCE || stopping.aborted) return reply(socket, frame.id, away);
      underWay++;
      try {
        reply(socket, frame.id, await answer(calls, frame));
      } catch (error) {
        log.error("a call failed: {error}", { error: reason(error) });
        reply(socket, frame.id, { status: 500, body: { error: "internal error", code: "INTERNAL" } });
      }
      underWay--;
      if (stopping.aborted) end();
    };
    return response;
  });
}

const away: Answer = { status: 503, body: { error: "the participant is full or stops", code: "SERVICE_UNAVAILABLE" } };

function answer(calls: Calls, { call, body, traceparent }: Frame): Promise<Answer> | Answer {
  const given = v.safeParse(SHAPES[call], body);
  if (given.success) return calls.answer(call, given.output, traceparent);
  return { status: 400, body: { error: given.issues[0].message, code: "BAD_USER_INPUT" } };
}

function reply(socket: WebSocket, id: number, answer: Answer): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ id, ...answer }));
}

function parse(data: unknown): Frame | undefined {
  try {
    const frame = v.safeParse(FRAME, JSON.parse(String(data)));
    return frame.success ? frame.output : undefined;
  } catch {
    return undefined;
  }
}
