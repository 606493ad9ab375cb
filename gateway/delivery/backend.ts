/** What lies behind a gateway's sockets: sessions, documents, and what executes them. In: payloads of messages. Out: to operations. */

import { Buffer } from "node:buffer";
import { getOperationAST, type GraphQLError, OperationTypeNode } from "graphql";
import { reason } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import { type DocumentCache, maskError, type OperationParams } from "../../kit/graphql.ts";
import type { Logger } from "../../kit/log.ts";
import { SECOND, withTimeLimit } from "../../kit/time.ts";
import { beginTrace, inTrace, type Span } from "../../kit/tracing/mod.ts";
import { Caller } from "../caller.ts";
import type { Guards } from "../guards/guards.ts";
import { nameOperation } from "../request_span.ts";
import { bearerToken, type Sessions } from "../sessions.ts";
import { CLOSE } from "./close_codes.ts";
import { resultText } from "./executed.ts";
import type { Connections } from "./connections.ts";
import { countLimited } from "./limits.ts";
import { MessageRate } from "./message_rate.ts";
import type { SubscribePayload } from "./messages.ts";
import type { Running, Subscriptions } from "./operation.ts";
import { type Admitted, type Backend, Refused } from "./protocol.ts";
import type { Operation } from "./socket_operation.ts";

/** How long the exchange of a session may take, in milliseconds, its retries included. */
const ADMIT_LIMIT_MS = 10 * SECOND;
const NOTHING: Running = { stop() {} };

export interface BackendOptions {
  readonly documents: () => DocumentCache;
  readonly sessions: Sessions;
  readonly subscriptions: Subscriptions;
  readonly connections: Connections;
  readonly guards: Guards;
  readonly log: Logger;
}

export class SocketBackend implements Backend {
  readonly limited = countLimited;
  /** Mutations that run, whose clients may be gone. */
  readonly #mutations = new Set<Promise<unknown>>();

  constructor(private readonly options: BackendOptions) {}

  get most() {
    return this.options.connections.limits.operations;
  }

  messageRate(): MessageRate | undefined {
    const { messages } = this.options.connections.limits;
    return messages === null ? undefined : new MessageRate(messages.perSecond, messages.burst);
  }

  async admit(payload: Readonly<Record<string, unknown>>, onEnded: () => void, address: string): Promise<Admitted> {
    let unwatch = () => {};
    try {
      this.options.guards.admit(address, 0);
      const token = bearerToken(payload.authorization ?? payload.Authorization);
      const caller = new Caller(this.options.sessions, token, crypto.randomUUID(), address);
      // Before the exchange: a session that ends meanwhile is heard of as well.
      unwatch = caller.watch(onEnded);
      const { userId } = await withTimeLimit("a session's exchange", ADMIT_LIMIT_MS, caller.session());
      const leave = this.options.connections.takeOfUser(userId);
      return { caller, leave: () => (unwatch(), leave()) };
    } catch (error) {
      unwatch();
      const code = error instanceof UserError ? error.code : undefined;
      if (code === "RATE_LIMITED") throw new Refused(CLOSE.tooManySockets);
      if (code === "UNAUTHENTICATED") throw new Refused(CLOSE.forbidden);
      this.options.log.warning("a socket's session can't be checked: {error}", { error: reason(error) });
      throw new Refused(CLOSE.tryAgainLater);
    }
  }

  /** A trace's context comes as `extensions.traceparent`: a message has no headers. */
  start(payload: SubscribePayload, caller: Caller, operation: Operation): Promise<Running> {
    const span = beginTrace("WebSocket /graphql", payload.extensions?.traceparent);
    return inTrace(span, () => this.#start(payload, caller, operation, span));
  }

  async #start(
    payload: SubscribePayload,
    caller: Caller,
    operation: Operation,
    span: Span | undefined,
  ): Promise<Running> {
    const { documents, guards } = this.options;
    // A message is a request as any other.
    guards.admit(caller.address, 0);
    const checked = guards.look(documents(), payload, caller.address);
    if ("errors" in checked) return this.#refuse(operation, checked.errors);
    const { operationName, variables } = payload;
    const type = getOperationAST(checked.document, operationName)?.operation;
    if (type === undefined) {
      const why = "operationName has to name one of the document's operations";
      return this.#refuse(operation, [new UserError("BAD_USER_INPUT", why)]);
    }
    nameOperation(span, checked.document, operationName);
    const request = { ...checked, operationName, variables, caller };
    const isSubscription = type === OperationTypeNode.SUBSCRIPTION;
    if (!operation.begin(isSubscription ? "subscription" : "request")) return NOTHING;
    const counting = caller.session().then(({ userId }) => guards.count(checked, payload, caller.address, userId));
    if (isSubscription) {
      await counting;
      return await this.options.subscriptions.start(request, operation);
    }
    const lifetime = guards.lifetime();
    operation.running = { stop: () => lifetime.leave() };
    const asking = caller.during(lifetime, span);
    const execute = () => checked.execute({ operationName, variables } as OperationParams, asking);
    const executing = counting.then(execute);
    if (type === OperationTypeNode.MUTATION) this.#keep(executing);
    const result = await executing;
    if (operation.ended) return NOTHING;
    if (typeof result !== "string" && !("data" in result)) return this.#refuse(operation, result.errors ?? []);
    operation.next(Buffer.from(resultText(result, this.options.log)));
    operation.complete();
    return NOTHING;
  }

  maskedErrors(errors: readonly Error[]) {
    return errors.map((error) => maskError(error, this.options.log).toJSON());
  }

  /** Resolves once no mutation runs any more. */
  async finishMutations(): Promise<void> {
    while (this.#mutations.size > 0) await Promise.allSettled(this.#mutations);
  }

  #keep(mutation: Promise<unknown>): void {
    this.#mutations.add(mutation);
    const done = () => this.#mutations.delete(mutation);
    mutation.then(done, done);
  }

  #refuse(operation: Operation, errors: readonly GraphQLError[]): Running {
    operation.error(this.maskedErrors(errors));
    return NOTHING;
  }
}
