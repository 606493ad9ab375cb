/**
 * The three routes of two-phase commit, the same on every participant (contract: Two-phase commit). In: what the coordinator
 * (`gateway/two_phase/coordinator.ts`) sends. Out: a vote, or a state. Next: `barrier.ts`.
 */

import * as v from "valibot";
import { STATUS_OF_CODE, UserError } from "../errors.ts";
import { allowMember, readJson, type RequestContext } from "../http.ts";
import type { Service } from "../service.ts";
import type { Sql } from "../database.ts";
import { reason } from "../directory.ts";
import { HOUR } from "../time.ts";
import { Barrier, TRANSACTION_ID, type Work } from "./barrier.ts";
import { InDoubt } from "./in_doubt.ts";
import { votes } from "./metrics.ts";

/** One operation in which a service takes part. */
export interface Operation {
  /** The statements for this input. @throws UserError what is wrong with it: a vote of no */
  prepare(transactionId: string, input: unknown): Work;
  /** Done after each commit; what it resolves to joins the answer as `result`. It must not fail. */
  committed?(transactionId: string): Promise<Record<string, unknown> | undefined>;
}

const transactionId = v.pipe(v.string(), v.regex(TRANSACTION_ID, "1 to 64 letters, digits and -"));
const PREPARE = v.object({
  transactionId,
  operation: v.string(),
  input: v.unknown(),
  deadlineMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(HOUR)), 10_000),
});
const FINISH = v.object({ transactionId });

/** Adds the routes and starts to look for transactions in doubt; the service names `operations` when it registers. */
export function serveParticipant(service: Service, sql: Sql, operations: Record<string, Operation>): void {
  const { app, log, secret, directory } = service;
  const barrier = new Barrier(sql, service.name);
  const all = Object.values(operations);
  const committed = async (id: string) => {
    const results = await Promise.all(all.map((operation) => operation.committed?.(id)));
    return results.find((result) => result !== undefined);
  };
  const inDoubt = new InDoubt({ barrier, directory, secret, log, committed: (id) => void committed(id) });
  inDoubt.start();
  service.onStop("the look for transactions in doubt", () => inDoubt.stop());

  app.post("/api/prepare_2pc", async (c) => {
    allowMember(c, secret);
    const { transactionId, operation: name, input, deadlineMs } = await readJson(c, PREPARE);
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined) throw new UserError("BAD_USER_INPUT", "this service takes no part in that operation");
    try {
      inDoubt.remember(transactionId, deadlineMs);
      await barrier.prepare(transactionId, operation.prepare(transactionId, input));
      votes.inc({ operation: name, vote: "yes" });
      return c.json({ vote: "yes" });
    } catch (error) {
      inDoubt.forget(transactionId);
      if (!(error instanceof UserError)) throw error;
      votes.inc({ operation: name, vote: "no" });
      const { code: _, ...extra } = error.extensions;
      return c.json({ ...extra, vote: "no", error: error.message, code: error.code }, 409);
    }
  });

  app.post("/api/commit_2pc", async (c) => {
    allowMember(c, secret);
    const { transactionId } = await readJson(c, FINISH);
    return await finish(c, "committed", async () => {
      await barrier.commit(transactionId);
      inDoubt.forget(transactionId);
      const result = await committed(transactionId).catch((error) => {
        log.error("what follows a commit failed: {error}", { error: reason(error), transactionId });
        return undefined;
      });
      return result === undefined ? {} : { result };
    });
  });

  app.delete("/api/rollback_2pc", async (c) => {
    allowMember(c, secret);
    const { transactionId } = await readJson(c, FINISH);
    return await finish(c, "aborted", async () => {
      await barrier.rollback(transactionId);
      inDoubt.forget(transactionId);
      return {};
    });
  });
}

async function finish(
  c: RequestContext,
  state: string,
  step: () => Promise<Record<string, unknown>>,
): Promise<Response> {
  try {
    return c.json({ state, ...await step() });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return c.json({ error: error.message, code: error.code }, STATUS_OF_CODE[error.code]);
  }
}
