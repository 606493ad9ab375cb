/**
 * Subscriptions over changes of the graph. In: operations, and word that the graph has changed. Out: the same operations; those whose
 * document isn't valid any more end with one error that says so, all others go on.
 */

import type { GraphQLError, GraphQLFormattedError } from "graphql";
import { UserError } from "../../kit/errors.ts";
import { type DocumentCache, maskError } from "../../kit/graphql.ts";
import { type MeasuredOperation, measuredOperation } from "../../kit/graphql_operations.ts";
import type { Logger } from "../../kit/log.ts";
import {
  type Running,
  type Sink,
  sourceOf,
  type SubscriptionRequest,
  type Subscriptions,
} from "../delivery/operation.ts";
import { changedSubscriptions } from "./graph_metrics.ts";

/** How many documents are checked before others get their turn: each takes up to a millisecond. */
const SLICE = 20;

export class LastingSubscriptions implements Subscriptions {
  /** Those that run, by the text of their document. */
  readonly #open = new Map<string, Set<Lasting>>();
  #checking: Promise<void> | undefined;
  #again = false;

  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly documents: () => DocumentCache,
    private readonly log: Logger,
  ) {}

  async start(request: SubscriptionRequest, sink: Sink): Promise<Running> {
    const source = sourceOf(request.document);
    const operation = measuredOperation(request.document, request.operationName);
    const lasting = new Lasting(sink, operation, () => this.#forget(source, lasting));
    const all = this.#open.get(source);
    if (all === undefined) this.#open.set(source, new Set([lasting]));
    else all.add(lasting);
    // Where the graph has changed since the document was checked.
    this.#check(source);
    const began = performance.now();
    if (!lasting.ended) lasting.running = await this.subscriptions.start(request, lasting);
    operation?.took(began);
    return lasting;
  }

  /** Ends those that the graph as it is now can't serve. Resolves when all were looked at. */
  graphChanged(): Promise<void> {
    this.#again = true;
    return this.#checking ??= this.#checkAll().finally(() => this.#checking = undefined);
  }

  async #checkAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      let checked = 0;
      for (const source of [...this.#open.keys()]) {
        this.#check(source);
        if (++checked % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  #check(source: string): void {
    const checked = this.documents().check(source);
    if (!("errors" in checked)) return;
    for (const lasting of [...this.#open.get(source) ?? []]) {
      changedSubscriptions.inc();
      lasting.error([maskError(noLongerValid(checked.errors), this.log).toJSON()]);
    }
  }

  #forget(source: string, lasting: Lasting): void {
    const all = this.#open.get(source);
    all?.delete(lasting);
    if (all?.size === 0) this.#open.delete(source);
  }
}

/** One of them: what it writes to, and what runs for it. */
class Lasting implements Sink, Running {
  #running: Running | undefined;
  #ended = false;

  constructor(
    private readonly sink: Sink,
    private readonly operation: MeasuredOperation | undefined,
    private readonly onEnd: () => void,
  ) {}

  get ended(): boolean {
    return this.#ended;
  }

  set running(running: Running) {
    if (this.#ended) running.stop();
    else this.#running = running;
  }

  next(payload: Uint8Array, cursor?: string | null): void {
    if (!this.#ended) this.sink.next(payload, cursor);
  }

  beginsAt(cursor: string): void {
    if (!this.#ended) this.sink.beginsAt(cursor);
  }

  error(errors: readonly GraphQLFormattedError[]): void {
    if (!this.#end()) return;
    this.operation?.failed(String(errors[0]?.extensions?.code));
    this.sink.error(errors);
  }

  complete(): void {
    if (this.#end()) this.sink.complete();
  }

  room(): Promise<void> | undefined {
    return this.sink.room();
  }

  stop(): void {
    this.#end();
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.onEnd();
    this.#running?.stop();
    this.#running = undefined;
    return true;
  }
}

function noLongerValid([error]: readonly GraphQLError[]): UserError {
  return new UserError(
    "BAD_USER_INPUT",
    `the graph has changed, and this subscription is not valid any more: ${error?.message}`,
  );
}
