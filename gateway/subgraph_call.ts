/** One call of the gateway to a subgraph: a balanced instance, the caller's identity, a limit of time. */

import type { ExecutionRequest, ExecutionResult, MaybeAsyncIterable } from "@graphql-tools/utils";
import { execute, type GraphQLSchema, OperationTypeNode, print } from "graphql";
import { LRUCache } from "lru-cache";
import { DEADLINE_HEADER } from "../kit/deadline.ts";
import { STATUS_OF_CODE, UserError } from "../kit/errors.ts";
import { type Answer, resultOf } from "../kit/graphql.ts";
import { IDENTITY_HEADER } from "../kit/identity.ts";
import type { Logger } from "../kit/log.ts";
import { SECOND } from "../kit/time.ts";
import { type Span, within } from "../kit/tracing/mod.ts";
import type { Balancer } from "./balancer.ts";
import type { Caller } from "./caller.ts";
import { request as httpRequest } from "./http_client.ts";
import { readAnswer, reportedResult } from "./graph/answer.ts";
import { RowCache } from "./graph/row_cache.ts";
import type { PlannedDocument } from "./graph/plan.ts";
import type { Services, Variables } from "./graph/run.ts";
import { subscribeAt } from "./subgraph_events.ts";

/** How long a subgraph may take, in milliseconds; its fields are null with `TIMEOUT` then. */
const CALL_LIMIT_MS = 3 * SECOND;

/** The name under which the gateway's own part stands among the services. */
export const OWN = "gateway";

const printed = new LRUCache<object, string>({ max: 2_000 });

export class SubgraphCalls implements Services {
  readonly rows = new RowCache();

  constructor(
    private readonly balancer: Balancer,
    /** The gateway's own part, executed here. */
    private readonly own: GraphQLSchema,
    readonly log: Logger,
  ) {}

  /** A planned request. @throws UserError `SERVICE_UNAVAILABLE` or `TIMEOUT` */
  async ask(
    { service, document, json }: PlannedDocument,
    operation: OperationTypeNode,
    variables: Variables,
    caller: Caller,
  ): Promise<Answer> {
    if (service === OWN) {
      return await execute({ schema: this.own, document, variableValues: variables, contextValue: caller });
    }
    return await this.#call(service, `{"query":${json},"variables":${JSON.stringify(variables)}}`, operation, caller);
  }

  /** A request of stitching; a subscription has many results. @throws UserError as {@link ask} */
  async execute(service: string, request: ExecutionRequest): Promise<MaybeAsyncIterable<ExecutionResult>> {
    const { variables, operationName, operationType } = request;
    const caller = request.context as Caller;
    const body = JSON.stringify({ query: text(request.document), variables, operationName });
    if (operationType === OperationTypeNode.SUBSCRIPTION) return await this.#subscribe(service, body, caller);
    return reportedResult(service, resultOf(await this.#call(service, body, operationType, caller)), this.log);
  }

  #call(service: string, body: string, operation: OperationTypeNode | undefined, caller: Caller): Promise<Answer> {
    return within(caller.span, `ask ${service}`, "client", (span) => this.#ask(service, body, operation, caller, span));
  }

  async #ask(
    service: string,
    body: string,
    operation: OperationTypeNode | undefined,
    caller: Caller,
    span: Span | undefined,
  ): Promise<Answer> {
    const headers = await headersOf(caller, "application/graphql-response+json, application/json");
    if (span !== undefined) headers.traceparent = span.traceparent;
    // A query may be asked again elsewhere; whether a mutation that got no answer has happened, nobody knows.
    const mayRepeat = operation !== OperationTypeNode.MUTATION;
    // A mutation is done, whoever still waits for its answer.
    const lifetime = mayRepeat ? caller.lifetime : undefined;
    const { status, text } = await this.balancer.ask(
      service,
      lifetime?.limit(CALL_LIMIT_MS) ?? CALL_LIMIT_MS,
      async ({ url }, limitMs) => {
        span?.set("server.address", url);
        headers[DEADLINE_HEADER] = String(Date.now() + Math.ceil(limitMs));
        const answer = await httpRequest(`${url}/graphql`, { method: "POST", headers, body, limitMs, lifetime });
        span?.set("http.response.status_code", answer.status);
        // It may have ended the session. Other gateways hear of it from auth in a moment; the next request here must not be faster.
        if (service === "auth" && !mayRepeat) caller.signedOut();
        // Here, so that it counts against the instance; what is wrong with the question doesn't.
        if (answer.status >= 500) throw isSick(service, answer.status);
        return answer;
      },
      mayRepeat,
    );
    return readAnswer(service, status, text);
  }

  async #subscribe(service: string, body: string, caller: Caller): Promise<MaybeAsyncIterable<ExecutionResult>> {
    const headers = await headersOf(caller, "text/event-stream, application/json");
    const { log } = this;
    return await this.balancer.ask(
      service,
      CALL_LIMIT_MS,
      (instance, limitMs) => subscribeAt({ instance, body, headers, limitMs, log }),
    );
  }
}

function isSick(service: string, status: number): UserError {
  const code = status === STATUS_OF_CODE.TIMEOUT ? "TIMEOUT" : "SERVICE_UNAVAILABLE";
  return new UserError(code, `the service ${service} could not answer`, {}, new Error(`status ${status}`));
}

async function headersOf(caller: Caller, accept: string): Promise<Record<string, string>> {
  const { identity } = await caller.session();
  return {
    [IDENTITY_HEADER]: identity,
    "x-request-id": caller.requestId,
    accept,
    "content-type": "application/json",
  };
}

function text(document: ExecutionRequest["document"]): string {
  let known = printed.get(document);
  if (known === undefined) printed.set(document, known = print(document));
  return known;
}
