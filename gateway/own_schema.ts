/** The gateway's own part of the graph: sending as the coordinator, delivery from the hub, and what discovery knows. */

import { makeExecutableSchema } from "@graphql-tools/schema";
import type { GraphQLSchema } from "graphql";
import { crashPoint, crashPointSoon } from "../kit/crash_points.ts";
import { UserError } from "../kit/errors.ts";
import { newId, timeOfId } from "../kit/ids.ts";
import { pageSize } from "../kit/paging.ts";
import { type Span, within } from "../kit/tracing/mod.ts";
import sdl from "../schema/gateway.graphql" with { type: "text" };
import type { Caller } from "./caller.ts";
import { EventCaller } from "./delivery/execution.ts";
import type { Delivered } from "./delivery/roots.ts";
import type { Overview } from "./overview.ts";
import type { Coordinator } from "./two_phase/coordinator.ts";
import type { DecisionLog } from "./two_phase/decision_log.ts";
import { transactionFigures } from "./two_phase/figures.ts";
import type { IdempotencyKeys } from "./two_phase/idempotency.ts";

/** By then an answer has left, in milliseconds: for the crash point after it. */
const ANSWER_MS = 50;

interface SendArguments {
  readonly topicId: string;
  readonly message: string;
  readonly to?: readonly string[] | null;
  readonly idempotencyKey?: string | null;
}

export function ownSchema(
  overview: Overview,
  coordinator: Coordinator,
  decisions: DecisionLog,
  keys: IdempotencyKeys,
): GraphQLSchema {
  return makeExecutableSchema<Caller>({
    typeDefs: sdl,
    resolvers: {
      Query: {
        async services(_: unknown, __: unknown, caller: Caller) {
          await caller.userId();
          return overview.servicesAsHeard();
        },
        async transactions(_: unknown, __: unknown, caller: Caller) {
          await caller.userId();
          return await transactionFigures(coordinator, decisions);
        },
        async schemaChanges(_: unknown, { first }: { first?: number | null }, caller: Caller) {
          await caller.userId();
          return overview.schemaChanges(pageSize(first));
        },
      },
      Mutation: {
        sendNotification: (_: unknown, given: SendArguments, caller: Caller) =>
          within(caller.span, "sendNotification", "internal", (span) => send(given, caller, coordinator, keys, span)),
      },
      // Delivery calls these for one event and one viewer (delivery/execution.ts); subscriptions themselves are the hub's.
      Subscription: {
        notificationReceived: { subscribe: oneEvent, resolve: (root: unknown) => root },
        notificationAcknowledged: { subscribe: oneEvent, resolve: (root: unknown) => root },
        unseenCountChanged: { subscribe: oneEvent, resolve: (root: unknown) => root },
      },
    },
  });
}

async function* oneEvent(_: unknown, __: unknown, caller: Caller): AsyncGenerator<unknown> {
  if (caller instanceof EventCaller) yield await Promise.resolve(caller.root);
}

async function send(
  given: SendArguments,
  caller: Caller,
  coordinator: Coordinator,
  keys: IdempotencyKeys,
  span: Span | undefined,
): Promise<Delivered> {
  const fromUserId = await caller.userId();
  const { topicId, message } = given;
  const input = { topicId, message, to: given.to ?? [] };
  crashPoint("gateway: before the key's row");
  const claim = given.idempotencyKey == null
    ? { transactionId: newId(), isFirst: true }
    : await keys.claim(fromUserId, given.idempotencyKey, input);
  crashPoint("gateway: after the key's row");
  // The transaction's id is the notification's.
  const { transactionId: id } = claim;
  span?.set("notifyx.transaction.id", id);
  // The trace goes on with the notification's row: whoever delivers it stands below the send.
  const traced = span === undefined ? {} : { traceparent: span.traceparent };
  const asked = { ...input, notificationId: id, fromUserId, ...traced };
  const run = () =>
    coordinator.run("sendNotification", id, asked, span).catch(async (error) => {
      const neverBegan = error instanceof UserError && error.code === "TOO_MANY_REQUESTS";
      if (neverBegan && given.idempotencyKey != null) {
        await keys.release(fromUserId, given.idempotencyKey, id).catch(() => {});
      }
      throw error;
    });
  const { results } = claim.isFirst ? await run() : await coordinator.recall(id, ["notifications"], span);
  crashPoint("gateway: before the answer");
  crashPointSoon("gateway: after the answer", ANSWER_MS);
  const placed = results.get("notifications") as { cursor?: string; createdAt?: string } | undefined;
  return {
    id,
    topic: { id: topicId.toLowerCase() },
    from: { id: fromUserId },
    message,
    createdAt: placed?.createdAt ?? timeOfId(id).toISOString(),
    cursor: placed?.cursor ?? null,
    status: "SENT",
  };
}
