/** The gateway's own part of the graph: sending as the coordinator, delivery from the hub, and what discovery knows. */

import { makeExecutableSchema } from "@graphql-tools/schema";
import type { GraphQLSchema } from "graphql";
import { crashPoint, crashPointSoon } from "../kit/crash_points.ts";
import type { Directory } from "../kit/directory.ts";
import { UserError } from "../kit/errors.ts";
import { newId, timeOfId } from "../kit/ids.ts";
import sdl from "../schema/gateway.graphql" with { type: "text" };
import type { Caller } from "./caller.ts";
import { EventCaller } from "./delivery/execution.ts";
import type { Delivered } from "./delivery/roots.ts";
import type { Coordinator } from "./two_phase/coordinator.ts";
import type { IdempotencyKeys } from "./two_phase/idempotency.ts";

/** By then an answer has left, in milliseconds: for the crash point after it. */
const ANSWER_MS = 50;

interface SendArguments {
  readonly topicId: string;
  readonly message: string;
  readonly to?: readonly string[] | null;
  readonly idempotencyKey?: string | null;
}

/** The order of the instances of a service is that of their start. */
export function ownSchema(
  directory: Directory,
  coordinator: Coordinator,
  keys: IdempotencyKeys,
): GraphQLSchema {
  return makeExecutableSchema<Caller>({
    typeDefs: sdl,
    resolvers: {
      Query: {
        async services(_: unknown, __: unknown, caller: Caller) {
          await caller.userId();
          const byName = Map.groupBy(directory.all(), (instance) => instance.service);
          return [...byName].sort(([a], [b]) => a < b ? -1 : 1).map(([name, instances]) => ({
            name,
            instances: instances.sort((a, b) => a.startedAt < b.startedAt ? -1 : 1),
          }));
        },
      },
      Mutation: {
        sendNotification: (_: unknown, given: SendArguments, caller: Caller) => send(given, caller, coordinator, keys),
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
  const run = () =>
    coordinator.run("sendNotification", id, { ...input, notificationId: id, fromUserId }).catch(async (error) => {
      const neverBegan = error instanceof UserError && error.code === "TOO_MANY_REQUESTS";
      if (neverBegan && given.idempotencyKey != null) {
        await keys.release(fromUserId, given.idempotencyKey, id).catch(() => {});
      }
      throw error;
    });
  const { results } = claim.isFirst ? await run() : await coordinator.recall(id, ["notifications"]);
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
