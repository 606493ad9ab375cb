/** One call of the gateway to a subgraph: a balanced instance, the caller's identity, a limit of time. */

import type { ExecutionRequest, ExecutionResult } from "@graphql-tools/utils";
import { OperationTypeNode, print } from "graphql";
import { LRUCache } from "lru-cache";
import { call } from "../kit/call.ts";
import { UserError } from "../kit/errors.ts";
import { IDENTITY_HEADER } from "../kit/identity.ts";
import { SECOND } from "../kit/time.ts";
import type { Balancer } from "./balancer.ts";
import type { Caller } from "./caller.ts";

/** How long a subgraph may take, in milliseconds; its fields are null with `TIMEOUT` then. */
const CALL_LIMIT_MS = 3 * SECOND;

const printed = new LRUCache<object, string>({ max: 2_000 });

export class SubgraphCalls {
  constructor(private readonly balancer: Balancer) {}

  /** Executes `request` on some instance of `service`. @throws UserError `SERVICE_UNAVAILABLE` or `TIMEOUT` */
  async execute(service: string, request: ExecutionRequest): Promise<ExecutionResult> {
    const caller = request.context as Caller;
    const { identity } = await caller.session();
    const body = { query: text(request.document), variables: request.variables, operationName: request.operationName };
    const headers = {
      [IDENTITY_HEADER]: identity,
      "x-request-id": caller.requestId,
      accept: "application/graphql-response+json, application/json",
    };
    // A query may be asked again elsewhere; whether a mutation that got no answer has happened, nobody knows.
    const mayRepeat = request.operationType !== OperationTypeNode.MUTATION;
    return await this.balancer.ask(service, CALL_LIMIT_MS, async ({ url }, limitMs) => {
      const { status, body: answer } = await call(`${url}/graphql`, { body, headers, limitMs });
      // It may have ended the session. Other gateways hear of it from auth in a moment; the next request here must not be faster.
      if (service === "auth" && !mayRepeat) caller.signedOut();
      if (isResult(answer)) return answer;
      throw new UserError(
        "SERVICE_UNAVAILABLE",
        `the service ${service} could not answer`,
        {},
        new Error(`status ${status}`),
      );
    }, mayRepeat);
  }
}

function isResult(answer: unknown): answer is ExecutionResult {
  return typeof answer === "object" && answer !== null &&
    ("data" in answer || Array.isArray((answer as ExecutionResult).errors));
}

function text(document: ExecutionRequest["document"]): string {
  let known = printed.get(document);
  if (known === undefined) printed.set(document, known = print(document));
  return known;
}
