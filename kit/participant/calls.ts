/** What prepare, commit and rollback answer, however they arrive: routes.ts brings them one by one, channel.ts many at once. */

import * as v from "valibot";
import { crashPoint, crashPointSoon } from "../crash_points.ts";
import { countDatabaseError } from "../database_metrics.ts";
import { reason } from "../directory.ts";
import { isConnectionError } from "../database_errors.ts";
import { STATUS_OF_CODE, UserError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { HOUR } from "../time.ts";
import { inTrace, joinTrace, type Span, within } from "../tracing/mod.ts";
import type { Barrier, Work } from "./barrier.ts";
import type { InDoubt } from "./in_doubt.ts";
import { votes } from "./metrics.ts";
import { TRANSACTION_ID } from "./transaction_id.ts";

/** One operation in which a service takes part. */
export interface Operation {
  /** The statements for this input. @throws UserError what is wrong with it: a vote of no */
  prepare(transactionId: string, input: unknown): Work;
  /** Done after each commit; what it resolves to joins the answer as `result`. */
  committed?(transactionId: string, span: Span | undefined): Promise<Record<string, unknown> | undefined>;
}

export type CallName = "prepare" | "commit" | "rollback";

export interface Answer {
  /** As HTTP has it. */
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const transactionId = v.pipe(v.string(), v.regex(TRANSACTION_ID, "1 to 64 letters, digits and -"));
const FINISH = v.object({ transactionId });
export const SHAPES = {
  prepare: v.object({
    transactionId,
    operation: v.string(),
    input: v.unknown(),
    deadlineMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(HOUR)), 10_000),
  }),
  commit: FINISH,
  rollback: FINISH,
};
type Prepare = v.InferOutput<typeof SHAPES.prepare>;
type Given = Prepare | v.InferOutput<typeof FINISH>;

export class Calls {
  constructor(
    private readonly barrier: Barrier,
    private readonly inDoubt: InDoubt,
    private readonly operations: Readonly<Record<string, Operation>>,
    private readonly log: Logger,
  ) {}

  /**
   * Never throws what a caller may read: that is an answer too. `given` has the shape of {@link SHAPES}; `traceparent` is what the caller
   * says of its trace, if anything.
   */
  answer(name: CallName, given: Given, traceparent?: unknown): Promise<Answer> {
    return inTrace(joinTrace(name, "server", traceparent), async (span) => {
      const answer = await this.#answer(name, given, span);
      span?.set("http.response.status_code", answer.status);
      return answer;
    });
  }

  async #answer(name: CallName, given: Given, span: Span | undefined): Promise<Answer> {
    try {
      if (name === "prepare") return await this.#prepare(given as Prepare, span);
      if (name === "commit") return await this.#commit(given.transactionId, span);
      return await this.#rollback(given.transactionId);
    } catch (error) {
      if (error instanceof UserError) return fault(STATUS_OF_CODE[error.code], error);
      countDatabaseError(error);
      if (!isConnectionError(error)) throw error;
      this.log.warning("the database is away: {error}", { error: reason(error), transactionId: given.transactionId });
      return fault(503, new UserError("SERVICE_UNAVAILABLE", "the participant's database is away just now"));
    }
  }

  /** What follows a commit; what goes wrong in it can't be undone any more, so it is only logged. */
  async committed(transactionId: string, span?: Span): Promise<Record<string, unknown> | undefined> {
    try {
      const results = await Promise.all(
        Object.values(this.operations).map((one) => one.committed?.(transactionId, span)),
      );
      return results.find((result) => result !== undefined);
    } catch (error) {
      countDatabaseError(error);
      this.log.error("what follows a commit failed: {error}", { error: reason(error), transactionId });
      return undefined;
    }
  }

  async #prepare(
    { transactionId, operation: name, input, deadlineMs }: Prepare,
    span: Span | undefined,
  ): Promise<Answer> {
    const operation = Object.hasOwn(this.operations, name) ? this.operations[name] : undefined;
    if (operation === undefined) throw new UserError("BAD_USER_INPUT", "this service takes no part in that operation");
    this.inDoubt.remember(transactionId, deadlineMs);
    try {
      const work = operation.prepare(transactionId, input);
      await within(span, "PREPARE TRANSACTION", "client", () => this.barrier.prepare(transactionId, work));
      votes.inc({ operation: name, vote: "yes" });
      crashPoint("participant: before the vote is answered");
      crashPointSoon("participant: after the vote is answered");
      return { status: 200, body: { vote: "yes" } };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.inDoubt.forget(transactionId);
      votes.inc({ operation: name, vote: "no" });
      const { status, body } = fault(409, error);
      return { status, body: { ...body, vote: "no" } };
    }
  }

  async #commit(transactionId: string, span: Span | undefined): Promise<Answer> {
    await within(span, "COMMIT PREPARED", "client", () => this.barrier.commit(transactionId));
    this.inDoubt.forget(transactionId);
    const result = await this.committed(transactionId, span);
    crashPoint("participant: before a commit is answered");
    crashPointSoon("participant: after a commit is answered");
    return { status: 200, body: { state: "committed", ...result && { result } } };
  }

  async #rollback(transactionId: string): Promise<Answer> {
    await this.barrier.rollback(transactionId);
    this.inDoubt.forget(transactionId);
    return { status: 200, body: { state: "aborted" } };
  }
}

function fault(status: number, error: UserError): Answer {
  return { status, body: { ...error.extensions, error: error.message, code: error.code } };
}
