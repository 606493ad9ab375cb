/**
 * Subscriptions that graphql-js executes: one execution for each event and listener. In: a checked document. Out: results as JSON.
 */

import { Buffer } from "node:buffer";
import { type ExecutionArgs, type ExecutionResult, type GraphQLFormattedError, subscribe } from "graphql";
import { UserError } from "../../kit/errors.ts";
import { type Answer, executionArgs, maskError } from "../../kit/graphql.ts";
import type { Logger } from "../../kit/log.ts";
import { SECOND, TimeLimitError, withTimeLimit } from "../../kit/time.ts";
import type { Running, Sink, SubscriptionRequest, Subscriptions } from "./operation.ts";

/** What a subscription's start may take, in milliseconds: more than all that its resolvers wait for. */
const START_LIMIT_MS = 20 * SECOND;
const NOTHING: Running = { stop() {} };

/** Any subscription of the graph, each listener by itself. */
export class ExecutedSubscriptions implements Subscriptions {
  constructor(private readonly log: Logger) {}

  async start(request: SubscriptionRequest, sink: Sink): Promise<Running> {
    const starting = Promise.resolve(subscribe(argsOf(request)));
    try {
      const results = await withTimeLimit("the subscription's start", START_LIMIT_MS, starting);
      if (Symbol.asyncIterator in results) return this.#pump(results[Symbol.asyncIterator](), sink);
      sink.error(this.#masked(results.errors ?? []));
    } catch (error) {
      if (error instanceof TimeLimitError) {
        starting.then(discard, () => {});
        sink.error(this.#masked([new UserError("TIMEOUT", "the subscription's start took too long")]));
      } else sink.error(this.#masked([error as Error]));
    }
    return NOTHING;
  }

  #pump(results: AsyncIterator<ExecutionResult>, sink: Sink): Running {
    let stopped = false;
    const end = () => {
      stopped = true;
      // A source that fails at its end has nobody left to tell.
      results.return?.().catch(() => {});
    };
    const pump = async () => {
      try {
        while (!stopped) {
          const { done, value } = await results.next();
          if (stopped) return;
          if (done) return sink.complete();
          sink.next(Buffer.from(resultText(value, this.log)));
          await sink.room();
        }
      } catch (error) {
        if (stopped) return;
        sink.error(this.#masked([error as Error]));
        end();
      }
    };
    void pump();
    return { stop: end };
  }

  #masked(errors: readonly Error[]): GraphQLFormattedError[] {
    return errors.map((error) => maskError(error, this.log).toJSON());
  }
}

/** The JSON text of a result, with its errors masked. */
export function resultText(result: Answer, log: Logger): string {
  if (typeof result === "string") return result;
  if (result.errors === undefined) return JSON.stringify(result);
  return JSON.stringify({ ...result, errors: result.errors.map((error) => maskError(error, log)) });
}

/** Ends what has started too late. */
function discard(late: Awaited<ReturnType<typeof subscribe>>): void {
  if (Symbol.asyncIterator in late) late[Symbol.asyncIterator]().return?.().catch(() => {});
}

function argsOf({ document, schema, operationName, variables, caller }: SubscriptionRequest): ExecutionArgs {
  return executionArgs({ document, schema }, { operationName, variables } as never, caller);
}
