/** The messages of graphql-transport-ws: what a client says, checked, and what it is told, as JSON text. */

import type { GraphQLFormattedError } from "graphql";
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, MessageType } from "graphql-ws";
import { isByHashAlone } from "../../kit/graphql.ts";
import { CLOSE, REASON_LIMIT_BYTES } from "./close_codes.ts";

export const SUBPROTOCOL = GRAPHQL_TRANSPORT_WS_PROTOCOL;

type Json = Readonly<Record<string, unknown>>;

/** What an operation is asked for with. */
export interface SubscribePayload {
  /** Empty where `extensions.persistedQuery` names it by its hash alone. */
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Json | null;
  readonly extensions?: Json | null;
}

export type ClientMessage =
  | { readonly type: MessageType.ConnectionInit; readonly payload?: Json | null }
  | { readonly type: MessageType.Ping | MessageType.Pong; readonly payload?: Json | null }
  | { readonly type: MessageType.Subscribe; readonly id: string; readonly payload: SubscribePayload }
  | { readonly type: MessageType.Complete; readonly id: string };

/** Thrown for what is no message of a client's; its text is the reason of a 4400. */
export class InvalidMessage extends Error {
  override readonly name = "InvalidMessage";
}

export function duplicateReason(id: string): string {
  return `Subscriber for ${id} already exists`;
}

/** The longest id of an operation, in bytes: the reason of a 4409 names it. */
export const ID_LIMIT_BYTES = REASON_LIMIT_BYTES - duplicateReason("").length;

const encoder = new TextEncoder();

/** @throws InvalidMessage */
export function parseMessage(text: string): ClientMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new InvalidMessage(CLOSE.invalidMessage.reason);
  }
  if (!isObject(message)) throw new InvalidMessage("a message is a JSON object");
  const { type, payload } = message;
  switch (type) {
    case MessageType.ConnectionInit:
    case MessageType.Ping:
    case MessageType.Pong:
      if (!isAbsent(payload) && !isObject(payload)) throw new InvalidMessage(`the payload of ${type} is an object`);
      break;
    case MessageType.Subscribe:
      checkId(message.id);
      checkSubscribe(payload);
      break;
    case MessageType.Complete:
      checkId(message.id);
      break;
    default:
      throw new InvalidMessage("a client's message has no such type");
  }
  return message as unknown as ClientMessage;
}

function checkId(id: unknown): void {
  if (typeof id !== "string" || id === "") throw new InvalidMessage("an id is a string that isn't empty");
  if (id.length > ID_LIMIT_BYTES || encoder.encode(id).length > ID_LIMIT_BYTES) {
    throw new InvalidMessage(`an id takes at most ${ID_LIMIT_BYTES} bytes`);
  }
}

function checkSubscribe(payload: unknown): void {
  if (isObject(payload) && isByHashAlone(payload)) payload.query = "";
  if (!isObject(payload) || typeof payload.query !== "string") {
    throw new InvalidMessage("the payload of subscribe has a query, which is a string");
  }
  for (const name of ["variables", "extensions"]) {
    if (!isAbsent(payload[name]) && !isObject(payload[name])) throw new InvalidMessage(`${name} is an object`);
  }
  if (!isAbsent(payload.operationName) && typeof payload.operationName !== "string") {
    throw new InvalidMessage("operationName is a string");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

export const ACK = JSON.stringify({ type: MessageType.ConnectionAck });

export function pong(payload: unknown): string {
  return JSON.stringify({ type: MessageType.Pong, ...isAbsent(payload) ? {} : { payload } });
}

export function failed(id: string, payload: readonly GraphQLFormattedError[]): string {
  return JSON.stringify({ id, type: MessageType.Error, payload });
}

export function completed(id: string): string {
  return JSON.stringify({ id, type: MessageType.Complete });
}

/** What stands before the payload of each `next` of an operation; behind it there is only a `}`. */
export class NextPrefix {
  readonly bytes: Uint8Array;
  constructor(readonly id: string) {
    this.bytes = encoder.encode(`{"id":${JSON.stringify(id)},"type":"${MessageType.Next}","payload":`);
  }
}
