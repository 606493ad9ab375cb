/**
 * What an event is for one document: the bytes of its result. In: a root of roots.ts. Out: to a group of listeners, who share it.
 *
 * Two ways: documents that ask only for what is the same for every viewer are executed here, on the small schema of shared_schema.ts,
 * mostly at once; all others through the whole graph, for each viewer by itself.
 */

import { Buffer } from "node:buffer";
import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  subscribe,
  validate,
} from "graphql";
import { UserError } from "../../kit/errors.ts";
import { type DocumentCache, executionArgs } from "../../kit/graphql.ts";
import type { Logger } from "../../kit/log.ts";
import { SECOND, TimeLimitError, withTimeLimit } from "../../kit/time.ts";
import { Caller } from "../caller.ts";
import { Lifetime } from "../guards/lifetime.ts";
import { resultText } from "./executed.ts";
import { sourceOf, type SubscriptionRequest } from "./operation.ts";

export type Payload = Uint8Array | Promise<Uint8Array>;
/** Executes the document on a root; never throws or rejects: what goes wrong is part of the payload. */
export type Execution = (root: unknown) => Payload;

/** How long an event may take to be executed, in milliseconds: services have 3 s each. */
const LIMIT_MS = 8 * SECOND;

export class Executions {
  readonly #shareable = new WeakMap<DocumentNode, boolean>();

  constructor(
    private readonly shared: GraphQLSchema,
    private readonly documents: () => DocumentCache,
    private readonly log: Logger,
  ) {}

  /** Whether the document asks only for what is the same for every viewer. */
  isShared(document: DocumentNode): boolean {
    let shareable = this.#shareable.get(document);
    if (shareable === undefined) {
      shareable = validate(this.shared, document, undefined, { maxErrors: 1 }).length === 0;
      this.#shareable.set(document, shareable);
    }
    return shareable;
  }

  /** For any number of viewers. */
  ofAll({ document, operationName, variables }: SubscriptionRequest): Execution {
    const { shared: schema } = this;
    return (root) => {
      try {
        const result = execute({
          schema,
          document,
          operationName,
          variableValues: variables,
          rootValue: root,
        });
        return result instanceof Promise ? this.#inTime(result) : this.#bytes(result);
      } catch (error) {
        return this.#failed(error);
      }
    };
  }

  /** For the viewer of `request` alone, on the graph as it is at each event. */
  ofOne({ operationName, variables, caller: viewer, ...began }: SubscriptionRequest): Execution {
    const source = sourceOf(began.document);
    let present: Pick<SubscriptionRequest, "document" | "schema" | "hideSuggestions"> = began;
    return (root) => {
      const caller = new EventCaller(viewer, root);
      const checked = this.documents().check(source);
      // Where it isn't valid any more, it is about to end (graph/lasting_subscriptions.ts).
      if (!("errors" in checked)) present = checked;
      return this.#inTime((async () => {
        // Through the graph an event is a subscription of one result: thereby stitching knows whose object it is.
        const results = await subscribe(executionArgs(present, { operationName, variables } as never, caller));
        if (!(Symbol.asyncIterator in results)) return results;
        const { value } = await results.next();
        await results.return?.();
        return value as ExecutionResult;
      })());
    };
  }

  #inTime(result: Promise<ExecutionResult>): Promise<Uint8Array> {
    return withTimeLimit("an event", LIMIT_MS, result).then(
      (result) => this.#bytes(result),
      (error) => this.#failed(error),
    );
  }

  #bytes(result: ExecutionResult): Uint8Array {
    return Buffer.from(resultText(result, this.log));
  }

  #failed(error: unknown): Uint8Array {
    const fault = error instanceof TimeLimitError
      ? new UserError("TIMEOUT", "what this event says could not be had in time")
      : error instanceof Error
      ? error
      : new UserError("INTERNAL", "internal error");
    return this.#bytes({ data: null, errors: [fault as GraphQLError] });
  }
}

/** A caller for whom one event is executed: the gateway's own subscription fields give just that (own_schema.ts). */
export class EventCaller extends Caller {
  constructor(caller: Caller, readonly root: unknown) {
    super(caller.sessions, caller.token, caller.requestId, caller.address, new Lifetime(LIMIT_MS));
  }
}
