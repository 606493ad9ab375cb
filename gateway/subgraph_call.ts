/** One call of the gateway to a subgraph: a balanced instance, the caller's identity, a limit of time. */

import type { ExecutionRequest, ExecutionResult } from "@graphql-tools/utils";
import { execute, type GraphQLSchema, OperationTypeNode, print } from "graphql";
import { LRUCache } from "lru-cache";
import { type Answer, resultOf } from "../kit/graphql.ts";
import { IDENTITY_HEADER } from "../kit/identity.ts";
import type { Logger } from "../kit/log.ts";
import { SECOND } from "../kit/time.ts";
import type { Balancer } from "./balancer.ts";
import type { Caller } from "./caller.ts";
import { request as httpRequest } from "./http_client.ts";
import { readAnswer } from "./graph/answer.ts";
import { RowCache } from "./graph/row_cache.ts";
import type { PlannedDocument } from "./graph/plan.ts";
import type { Services, Variables } from "./graph/run.ts";

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

  /** A request of stitching. @throws UserError as {@link ask} */
  async execute(service: string, request: ExecutionRequest): Promise<ExecutionResult> {
    const { variables, operationName } = request;
    const body = JSON.stringify({ query: text(request.document), variables, operationName });
    return resultOf(await this.#call(service, body, request.operationType, request.context as Caller));
  }

  async #call(
    service: string,
    body: string,
    operation: OperationTypeNode | undefined,
    caller: Caller,
  ): Promise<Answer> {
    const { identity } = await caller.session();
    const headers = {
      [IDENTITY_HEADER]: identity,
      "x-request-id": caller.requestId,
      accept: "application/graphql-response+json, application/json",
      "content-type": "application/json",
    };
    // A query may be asked again elsewhere; whether a mutation that got no answer has happened, nobody knows.
    const mayRepeat = operation !== OperationTypeNode.MUTATION;
    return await this.balancer.ask(service, CALL_LIMIT_MS, async ({ url }, limitMs) => {
      const { status, text } = await httpRequest(`${url}/graphql`, { method: "POST", headers, body, limitMs });
      // It may have ended the session. Other gateways hear of it from auth in a moment; the next request here must not be faster.
      if (service === "auth" && !mayRepeat) caller.signedOut();
      return readAnswer(service, status, text);
    }, mayRepeat);
  }
}

function text(document: ExecutionRequest["document"]): string {
  let known = printed.get(document);
  if (known === undefined) printed.set(document, known = print(document));
  return known;
}
