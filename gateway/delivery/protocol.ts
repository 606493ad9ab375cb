/**
 * One connection of graphql-transport-ws, free of any kind of socket. In: the client's messages. Out: `Wire`.
 *
 * States: `new` until connection_init is here; `admitting` while its session is exchanged; `ready` for operations; `leaving` when it
 * only finishes what runs; `closed`. All but `closed` take pings.
 */

import type { GraphQLFormattedError } from "graphql";
import { MessageType } from "graphql-ws";
import { UserError } from "../../kit/errors.ts";
import { SECOND } from "../../kit/time.ts";
import type { Caller } from "../caller.ts";
import { CLOSE, type CloseCode } from "./close_codes.ts";
import type { MessageRate } from "./message_rate.ts";
import {
  ACK,
  type ClientMessage,
  duplicateReason,
  InvalidMessage,
  parseMessage,
  pong,
  type SubscribePayload,
} from "./messages.ts";
import type { Running } from "./operation.ts";
import { Operation, type OperationKind, type OperationOwner, type Wire } from "./socket_operation.ts";

/** What a connection is admitted with. */
export interface Admitted {
  readonly caller: Caller;
  /** Called once when the connection has ended. */
  leave(): void;
}

/** What lies behind all connections. */
export interface Backend {
  /**
   * Exchanges the session that connection_init's payload names, within a time limit of its own. `onEnded` is called once, when that
   * session ends, also before this has resolved. `address` is the client's, as limits count it.
   * @throws Refused which says how the connection is closed
   */
  admit(payload: Readonly<Record<string, unknown>>, onEnded: () => void, address: string): Promise<Admitted>;
  /** Starts an operation, and has it begin. What is wrong with it is told by `operation.error`; what is thrown is a fault of ours. */
  start(payload: SubscribePayload, caller: Caller, operation: Operation): Promise<Running>;
  maskedErrors(errors: readonly Error[]): readonly GraphQLFormattedError[];
  /** How many operations of each kind one connection may have at once. */
  readonly most: Readonly<Record<OperationKind, number>>;
  /** Undefined where messages aren't limited. */
  messageRate(): MessageRate | undefined;
  /** A limit was met, by its kind. */
  limited(kind: "operations" | "messages"): void;
}

/** Thrown by {@link Backend.admit} for a connection that isn't admitted. */
export class Refused extends Error {
  override readonly name = "Refused";
  constructor(readonly close: CloseCode) {
    super(close.reason);
  }
}

/** How long a client may take to say connection_init, in milliseconds. Only its receipt stops the clock: admitting has its own. */
export const INIT_LIMIT_MS = 3 * SECOND;
/** How long what is no subscription may still take when its session has ended, in milliseconds: a logout gets its answer. */
const LAST_ANSWERS_MS = 500;

export class Connection implements OperationOwner {
  #state: "new" | "admitting" | "ready" | "leaving" | "closed" = "new";
  readonly #operations = new Map<string, Operation>();
  readonly #begun: Record<OperationKind, number> = { subscription: 0, request: 0 };
  readonly #rate: MessageRate | undefined;
  #admitted: Admitted | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sessionEnded = false;

  constructor(private readonly wire: Wire, private readonly backend: Backend, private readonly address = "") {
    this.#rate = backend.messageRate();
    this.#timer = setTimeout(() => this.#close(CLOSE.initTimeout), INIT_LIMIT_MS);
  }

  get operations(): number {
    return this.#operations.size;
  }

  onMessage(text: string): void {
    if (this.#state === "closed") return;
    const retryAfterSeconds = this.#rate?.take() ?? 0;
    if (retryAfterSeconds > 0) this.backend.limited("messages");
    if (this.#rate?.isFlooded) return this.#close(CLOSE.tooManyMessages);
    try {
      this.#take(parseMessage(text), retryAfterSeconds);
    } catch (error) {
      if (error instanceof InvalidMessage) this.#close(CLOSE.invalidMessage, error.message);
      else this.fail(error);
    }
  }

  /** Something of ours broke: a bug. */
  fail(error: unknown): void {
    this.backend.maskedErrors([error as Error]);
    this.#close(CLOSE.internal);
  }

  /** The socket is closed, by whomever. */
  onClose(): void {
    this.#end();
  }

  /** Closes as soon as no query and no mutation runs, so that each has its answer. What comes meanwhile is left for the next connection. */
  drain(): void {
    if (this.#state === "closed") return;
    this.#state = "leaving";
    this.#leaveWhenDone();
  }

  onEnd(operation: Operation): void {
    this.#operations.delete(operation.id);
    if (operation.kind !== undefined) this.#begun[operation.kind]--;
    if (this.#state === "leaving") this.#leaveWhenDone();
  }

  mayBegin(operation: Operation, kind: OperationKind): boolean {
    const most = this.backend.most[kind];
    if (this.#begun[kind] >= most) {
      this.backend.limited("operations");
      this.#refuse(operation, `a socket takes at most ${most} ${OPERATIONS[kind]} at once`, 1);
      return false;
    }
    this.#begun[kind]++;
    return true;
  }

  #take(message: ClientMessage, retryAfterSeconds: number): void {
    switch (message.type) {
      case MessageType.Ping:
        return this.wire.send(pong(message.payload));
      case MessageType.Pong:
        return;
      case MessageType.ConnectionInit:
        if (this.#state === "new") return void this.#admit(message.payload ?? {});
        if (this.#state !== "leaving") this.#close(CLOSE.secondInit);
        return;
      case MessageType.Complete:
        return this.#operations.get(message.id)?.stop();
      case MessageType.Subscribe:
        if (this.#state === "leaving") return;
        if (this.#state !== "ready") return this.#close(CLOSE.unauthorized);
        return this.#subscribe(message.id, message.payload, retryAfterSeconds);
    }
  }

  async #admit(payload: Readonly<Record<string, unknown>>): Promise<void> {
    this.#stopTimer();
    this.#state = "admitting";
    try {
      const admitted = await this.backend.admit(payload, () => this.#endSession(), this.address);
      if (this.#isClosed) return admitted.leave();
      this.#admitted = admitted;
      if (this.#state === "admitting") this.#state = "ready";
      if (this.#sessionEnded) return this.#close(CLOSE.forbidden);
      this.wire.send(ACK);
    } catch (error) {
      if (error instanceof Refused) return this.#close(error.close);
      this.fail(error);
    }
  }

  #subscribe(id: string, payload: SubscribePayload, retryAfterSeconds: number): void {
    if (this.#operations.has(id)) return this.#close(CLOSE.duplicateId, duplicateReason(id));
    const operation = new Operation(id, this.wire, this);
    this.#operations.set(id, operation);
    if (retryAfterSeconds > 0) {
      return this.#refuse(operation, "too many messages on this socket", retryAfterSeconds);
    }
    this.backend.start(payload, this.#admitted!.caller, operation).then(
      (running) => operation.running = running,
      (error) => operation.error(this.backend.maskedErrors([error])),
    );
  }

  #refuse(operation: Operation, why: string, retryAfterSeconds: number): void {
    operation.error(this.backend.maskedErrors([new UserError("RATE_LIMITED", why, { retryAfterSeconds })]));
  }

  /** First the operations, since clients come back by themselves after the close and would not know why. */
  #endSession(): void {
    if (this.#sessionEnded || this.#isClosed) return;
    this.#sessionEnded = true;
    if (this.#admitted === undefined) return;
    const errors = this.backend.maskedErrors([sessionEnded()]);
    const last: Operation[] = [];
    for (const operation of [...this.#operations.values()]) {
      if (operation.kind === "request") last.push(operation);
      else operation.error(errors);
    }
    this.#state = "leaving";
    this.#timer = setTimeout(() => last.forEach((operation) => operation.error(errors)), LAST_ANSWERS_MS);
    this.#leaveWhenDone();
  }

  #leaveWhenDone(): void {
    if (this.#begun.request > 0) return;
    this.#close(this.#sessionEnded ? CLOSE.forbidden : CLOSE.restarting);
  }

  #close(code: CloseCode, reason?: string): void {
    if (this.#isClosed) return;
    this.#end();
    this.wire.close(code, reason);
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#state = "closed";
    this.#stopTimer();
    for (const operation of [...this.#operations.values()]) operation.stop();
    this.#admitted?.leave();
    this.#admitted = undefined;
  }

  /** And lets go of it: ten thousand of them are a megabyte and more. */
  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }
}

const OPERATIONS = { subscription: "subscriptions", request: "queries and mutations" };

function sessionEnded(): UserError {
  return new UserError("UNAUTHENTICATED", "the session has ended: sign in again");
}
