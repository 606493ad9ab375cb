/**
 * The participant of two-phase commit, the same in every service (contract: Two-phase commit). In: what the coordinator
 * (`gateway/two_phase/coordinator.ts`) sends, on three routes or on a channel. Out: a vote, or a state. Next: calls.ts, barrier.ts.
 */

import { allowMember, readJson } from "../http.ts";
import type { Service } from "../service.ts";
import type { Sql } from "../database.ts";
import { Barrier } from "./barrier.ts";
import { type CallName, Calls, type Operation, SHAPES } from "./calls.ts";
import { serveChannel } from "./channel.ts";
import { Gateways } from "./gateways.ts";
import { InDoubt } from "./in_doubt.ts";
import { PARTICIPANT_FIGURES } from "./figures.ts";
import { checkTransactionId } from "./transaction_id.ts";

/** Adds the routes and the channel, and starts to look for transactions in doubt; the service names `operations` when it registers. */
export function serveParticipant(service: Service, sql: Sql, operations: Record<string, Operation>): void {
  const { app, log, secret, directory } = service;
  const barrier = new Barrier(sql, service.name);
  const inDoubt = new InDoubt({
    barrier,
    gateways: new Gateways(directory, secret),
    log,
    committed: (id) => void calls.committed(id),
  });
  const calls = new Calls(barrier, inDoubt, operations, log);
  inDoubt.start();
  service.dashboard.figures.push(...PARTICIPANT_FIGURES);
  service.onStop("the look for transactions in doubt", () => inDoubt.stop());

  const route = (method: string, path: string, name: CallName) => {
    app.on(method, path, async (c) => {
      allowMember(c, secret);
      const given = await readJson(c, SHAPES[name]);
      const { status, body } = await calls.answer(name, given, c.req.header("traceparent"));
      return c.json(body, status as 200);
    });
  };
  route("POST", "/api/prepare_2pc", "prepare");
  route("POST", "/api/commit_2pc", "commit");
  route("DELETE", "/api/rollback_2pc", "rollback");
  serveChannel(service, calls);

  // For the gateway's console: only looks.
  app.get("/api/transactions_2pc/:id", async (c) => {
    allowMember(c, secret);
    return c.json({ state: await barrier.state(checkTransactionId(c.req.param("id"))) });
  });
}
