/** What the coordinator asks of a service that takes part: prepare, commit, rollback, on whichever of its instances answers. */

import type { CallAnswer } from "../../kit/call.ts";
import { crashPoint, crashPointSoon } from "../../kit/crash_points.ts";
import { reportedError, UserError } from "../../kit/errors.ts";
import { type Span, within } from "../../kit/tracing/mod.ts";
import type { Balancer } from "../balancer.ts";
import type { CallName, Channels } from "./channels.ts";

export interface Prepare {
  readonly transactionId: string;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  /** When a participant that has heard nothing begins to inquire, in milliseconds after its prepare. */
  readonly deadlineMs: number;
}

export class Participants {
  constructor(private readonly balancer: Balancer, private readonly channels: Channels) {}

  /** Resolves for a vote of yes. @throws UserError what a vote of no says; `TRANSACTION_ABORTED` for no vote at all */
  async prepare(service: string, body: Prepare, limitMs: number, span?: Span): Promise<void> {
    crashPoint("gateway: before a prepare is sent");
    crashPointSoon("gateway: after a prepare is sent");
    const { status, body: answer } = await this.#ask(service, "prepare", body, limitMs, span);
    crashPoint("gateway: after a vote");
    if (status === 200 && (answer as { vote?: unknown } | null)?.vote === "yes") return;
    const said = (answer ?? {}) as Record<string, unknown>;
    throw (said.vote === "no" ? reportedError(said.error, said) : undefined) ??
      new UserError("TRANSACTION_ABORTED", `${service} could not prepare`);
  }

  /** Resolves once it is committed, to what the participant adds. @throws Damage when the participant refuses, UserError else */
  async commit(
    service: string,
    transactionId: string,
    limitMs: number,
    span?: Span,
  ): Promise<Record<string, unknown> | undefined> {
    crashPoint("gateway: before a commit is sent");
    crashPointSoon("gateway: after a commit is sent");
    const { status, body } = await this.#ask(service, "commit", { transactionId }, limitMs, span);
    crashPoint("gateway: after a commit is confirmed");
    if (status === 200) return (body as { result?: Record<string, unknown> } | null)?.result;
    if (status === 409) throw new Damage(service, transactionId, String((body as { error?: unknown } | null)?.error));
    throw new UserError("SERVICE_UNAVAILABLE", `${service} could not commit`);
  }

  async rollback(service: string, transactionId: string, limitMs: number): Promise<void> {
    crashPoint("gateway: before a rollback is sent");
    crashPointSoon("gateway: after a rollback is sent");
    const { status } = await this.#ask(service, "rollback", { transactionId }, limitMs);
    crashPoint("gateway: after a rollback is confirmed");
    if (status !== 200) throw new UserError("SERVICE_UNAVAILABLE", `${service} could not roll back`);
  }

  /** Every route may be repeated, so an instance that can't be reached, or says that it is full or stops, is followed by the next. */
  #ask(service: string, name: CallName, body: unknown, limitMs: number, parent?: Span): Promise<CallAnswer> {
    return within(
      parent,
      `${name} ${service}`,
      "client",
      (span) =>
        this.balancer.ask(service, limitMs, async (instance, leftMs) => {
          span?.set("server.address", instance.url);
          const answer = await this.channels.ask(instance, name, body, leftMs, span?.traceparent);
          span?.set("http.response.status_code", answer.status);
          if (answer.status === 503) {
            throw new UserError("SERVICE_UNAVAILABLE", `an instance of ${service} is away just now`);
          }
          return answer;
        }),
    );
  }
}

/** A participant says that it can't commit what was decided: it rolled back, or never prepared. Nothing repairs that by itself. */
export class Damage extends Error {
  override readonly name = "Damage";
  constructor(readonly service: string, readonly transactionId: string, reason: string) {
    super(`${service} can't commit ${transactionId}: ${reason}`);
  }
}
