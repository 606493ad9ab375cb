/**
 * Subscriptions that graphql-js executes: one execution for each event and listener. In: a checked document. Out: results as JSON.
 */

import { Buffer } from "node:buffer";
import {
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
  subscribe,
} from "graphql";
import { UserError } from "../../kit/errors.ts";
import { type Answer, executionArgs, maskError } from "../../kit/graphql.ts";
import type { Logger } from "../../kit/log.ts";
import { SECOND, TimeLimitError, withTimeLimit } from "../../kit/time.ts";
import type { Running, Sink, SubscriptionRequest, Subscriptions } from "./operation.ts";

/** What a subscription's start may take, in milliseconds: more than all that its resolvers wait for. */
const START_LIMIT_MS = 20 * SECOND;
const NOTHING: Running = { stop() {} };

interface Pumped extends Running {
  fail(error: Error): void;
}

/**
 * Graphs that have been replaced and are kept by subscriptions that began on them, each with all its types; those of the oldest end
 * beyond.
 */
const MOST_GRAPHS = 10;

/** Any subscription of the graph, each listener by itself and on the graph on which it began. */
export class ExecutedSubscriptions implements Subscriptions {
  readonly #byGraph = new Map<GraphQLSchema, Set<Pumped>>();

  constructor(private readonly log: Logger) {}

  async start(request: SubscriptionRequest, sink: Sink): Promise<Running> {
    const starting = Promise.resolve(subscribe(argsOf(request)));
    try {
      const results = await withTimeLimit("the subscription's start", START_LIMIT_MS, starting);
      if (Symbol.asyncIterator in results) return this.#pump(results[Symbol.asyncIterator](), request.schema, sink);
      sink.error(this.#masked(results.errors ?? []));
    } catch (error) {
      if (error instanceof TimeLimitError) {
        starting.then(discard, () => {});
        sink.error(this.#masked([new UserError("TIMEOUT", "the subscription's start took too long")]));
      } else sink.error(this.#masked([error as Error]));
    }
    return NOTHING;
  }

  #pump(results: AsyncIterator<ExecutionResult>, schema: GraphQLSchema, sink: Sink): Running {
    let stopped = false;
    const end = () => {
      stopped = true;
      this.#leave(schema, running);
      // A source that fails at its end has nobody left to tell.
      results.return?.().catch(() => {});
    };
    const pump = async () => {
      try {
        while (!stopped) {
          const { done, value } = await results.next();
          if (stopped) return;
          if (done) {
            this.#leave(schema, running);
            return sink.complete();
          }
          sink.next(Buffer.from(resultText(value, this.log)));
          await sink.room();
        }
      } catch (error) {
        if (!stopped) running.fail(error as Error);
      }
    };
    const running = {
      stop: end,
      fail: (error: Error) => {
        end();
        sink.error(this.#masked([error]));
      },
    };
    this.#enter(schema, running);
    void pump();
    return running;
  }

  #enter(schema: GraphQLSchema, running: Pumped): void {
    const all = this.#byGraph.get(schema);
    if (all === undefined) this.#byGraph.set(schema, new Set([running]));
    else all.add(running);
    if (this.#byGraph.size <= MOST_GRAPHS) return;
    const [oldest] = this.#byGraph.values();
    const why = "the graph has changed often since this subscription began: subscribe again";
    for (const one of [...oldest!]) one.fail(new UserError("SERVICE_UNAVAILABLE", why));
  }

  #leave(schema: GraphQLSchema, running: Pumped): void {
    const all = this.#byGraph.get(schema);
    all?.delete(running);
    if (all?.size === 0) this.#byGraph.delete(schema);
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

function argsOf({ operationName, variables, caller, ...checked }: SubscriptionRequest): ExecutionArgs {
  return executionArgs(checked, { operationName, variables } as never, caller);
}
