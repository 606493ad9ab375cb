/**
 * The short way for what nearly all requests are: a small JSON body to `POST /graphql`, from a program rather than a page. It goes from
 * node:http to GraphQL and back without the web's Request and Response, which cost a send more than its transaction costs the gateway
 * (measured at 32 senders: a fifth of the gateway's time). All else goes the long way, graphql_route.ts, and means the same.
 */

import { getOperationAST, OperationTypeNode } from "graphql";
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ErrorCode, STATUS_OF_CODE, UserError } from "../kit/errors.ts";
import { type Answer, type DocumentCache, type GraphQLHandler, isByHashAlone, maskError } from "../kit/graphql.ts";
import { requestIdOf, statusOf } from "../kit/http.ts";
import type { ShortWay } from "../kit/listen.ts";
import { type Logger, withContext } from "../kit/log.ts";
import { httpDuration, httpInFlight } from "../kit/metrics.ts";
import { type Series, seriesOf } from "../kit/metrics/held_series.ts";
import { SECOND } from "../kit/time.ts";
import { beginTrace, type Span } from "../kit/tracing/mod.ts";
import { Caller } from "./caller.ts";
import { resultText } from "./delivery/executed.ts";
import { addressOf } from "./guards/address.ts";
import type { Guards } from "./guards/guards.ts";
import type { DocumentParams } from "./guards/persisted_documents.ts";
import { endRequest, nameOperation } from "./request_span.ts";
import { SameQueries } from "./same_queries.ts";
import { bearerToken, type Sessions } from "./sessions.ts";

/** The largest body that goes this way, in bytes, and how long it may take to arrive, in milliseconds; 408 then. */
const BODY_LIMIT_BYTES = 64 * 1024;
const BODY_LIMIT_MS = 10 * SECOND;

const JSON_TYPE = "application/json; charset=utf-8";
const GRAPHQL_TYPE = "application/graphql-response+json; charset=utf-8";
/** By the `accept` header as nearly all programs send it. */
const ANSWER_TYPES = new Map([
  ["*/*", JSON_TYPE],
  ["application/json", JSON_TYPE],
  ["application/json, */*", JSON_TYPE],
  ["application/graphql-response+json", GRAPHQL_TYPE],
  ["application/graphql-response+json, application/json", GRAPHQL_TYPE],
  ["application/graphql-response+json,application/json;q=0.9", GRAPHQL_TYPE],
]);

const utf8 = new TextDecoder("utf-8", { fatal: true });
const observers = new Map<number, Series>();

/** @param handle answers what is unusual: other media types, bodies and documents in which something is wrong */
export function shortWay(
  documents: () => DocumentCache,
  handle: GraphQLHandler<Caller>,
  sessions: Sessions,
  guards: Guards,
  log: Logger,
): ShortWay {
  const mostBytes = Math.min(BODY_LIMIT_BYTES, guards.bodyBytes);
  const same = new SameQueries();

  /** Undefined where the body or the document is unusual. */
  const executePlain = async (
    text: string,
    caller: Caller,
    userId: string | null,
    response: ServerResponse,
  ): Promise<Answer | undefined> => {
    const key = `${caller.token}\n${text}`;
    const waiting = same.get(key);
    if (waiting !== undefined) {
      // One execution is counted once.
      waiting.lifetime.share();
      response.once("close", () => waiting.lifetime.leave());
      return await waiting.answer;
    }
    const plain = plainRequest(text);
    if (plain === undefined) return undefined;
    const checked = guards.look(documents(), plain, caller.address);
    if ("errors" in checked) return undefined;
    const operation = getOperationAST(checked.document, plain.operationName)?.operation;
    if (operation === undefined || operation === OperationTypeNode.SUBSCRIPTION) return undefined;
    nameOperation(caller.span, checked.document, plain.operationName);
    const counting = guards.count(checked, plain, caller.address, userId);
    if (counting !== undefined) await counting;
    if (operation === OperationTypeNode.MUTATION) return await checked.execute(plain, caller);
    const lifetime = guards.lifetime();
    response.once("close", () => lifetime.leave());
    const asking = caller.during(lifetime);
    // What had to wait may find that another one has begun meanwhile.
    const execute = () => checked.execute(plain, asking);
    return await (counting === undefined ? same.run(key, lifetime, execute) : execute());
  };

  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    span: Span | undefined,
  ): Promise<void> => {
    try {
      const body = readBody(request);
      // Awaited below, also where the request is refused before.
      body.catch(() => {});
      const address = addressOf(request, guards.proxies);
      guards.admit(address, Number(request.headers["content-length"]));
      const token = bearerToken(request.headers.authorization);
      const caller = new Caller(sessions, token, requestId, address, undefined, span);
      const { userId } = await caller.session();
      const text = await body;
      const type = ANSWER_TYPES.get(request.headers.accept ?? "*/*");
      if (type !== undefined) {
        const given = await executePlain(text, caller, userId, response);
        if (given !== undefined) {
          const status = type === JSON_TYPE || hasData(given) ? 200 : 400;
          return end(response, status, { "content-type": type }, resultText(given, log));
        }
      }
      const lifetime = guards.lifetime();
      response.once("close", () => lifetime.leave());
      const [result, { status, headers }] = await handle({
        method: "POST",
        url: "/graphql",
        header: (name) => request.headers[name] as string | undefined,
        body: () => Promise.resolve(text),
        call: caller.during(lifetime),
      });
      end(response, status, headers ?? {}, result ?? "");
    } catch (error) {
      const masked = maskError(error as Error, log);
      const { code, retryAfterSeconds } = masked.extensions;
      const status = error instanceof UserError ? statusOf(error) : STATUS_OF_CODE[code as ErrorCode];
      end(
        response,
        code === "TIMEOUT" && !request.complete ? 408 : status,
        {
          "content-type": "application/json",
          // What is still to come of a body is not read.
          ...request.complete ? {} : { connection: "close" },
          ...typeof retryAfterSeconds === "number" ? { "retry-after": String(Math.ceil(retryAfterSeconds)) } : {},
        },
        JSON.stringify({ errors: [masked] }),
      );
    }
  };

  return (request, response) => {
    if (!isShort(request, mostBytes)) return false;
    const began = performance.now();
    const requestId = requestIdOf(request.headers["x-request-id"] as string | undefined);
    const span = beginTrace("POST /graphql", request.headers.traceparent);
    const context = span === undefined ? { requestId } : { requestId, traceId: span.traceId };
    httpInFlight.inc();
    void withContext(context, () => answer(request, response, requestId, span)).finally(() => {
      httpInFlight.dec();
      observer(response.statusCode).observe((performance.now() - began) / SECOND, span);
      if (span !== undefined) endRequest(span, response.statusCode);
    });
    return true;
  };
}

function isShort({ method, url, headers }: IncomingMessage, mostBytes: number): boolean {
  return method === "POST" && url === "/graphql" && headers.origin === undefined &&
    headers["transfer-encoding"] === undefined && Number(headers["content-length"]) <= mostBytes &&
    headers["content-type"]?.startsWith("application/json") === true && headers["content-encoding"] === undefined &&
    headers.expect === undefined && headers.accept?.includes("text/event-stream") !== true;
}

/** A body in which nothing is unusual. */
function plainRequest(text: string): DocumentParams | undefined {
  let body: Record<string, unknown> | null;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) return undefined;
  const { query = isByHashAlone(body) ? "" : undefined, variables, operationName, extensions } = body;
  const isPlain = typeof query === "string" && (operationName == null || typeof operationName === "string") &&
    isMap(variables) && isMap(extensions);
  return isPlain ? { query, variables, operationName, extensions } as DocumentParams : undefined;
}

function isMap(value: unknown): boolean {
  return value == null || typeof value === "object" && !Array.isArray(value);
}

function hasData(answer: Answer): boolean {
  return typeof answer === "string" || "data" in answer;
}

/** Nearly always the body came with the head: a timer is begun only where it didn't. @throws UserError `TIMEOUT`, `BAD_USER_INPUT`, … */
function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    request.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      timer ??= setTimeout(() => {
        reject(new UserError("TIMEOUT", "the body took too long to arrive"));
      }, BODY_LIMIT_MS);
    });
    const gone = () => {
      // Each request is closed in the end: an error that nobody reads costs as much as a call.
      if (request.complete) return;
      clearTimeout(timer);
      reject(new UserError("SERVICE_UNAVAILABLE", "the body could not be read"));
    };
    request.once("error", gone);
    request.once("close", gone);
    request.once("end", () => {
      clearTimeout(timer);
      try {
        resolve(utf8.decode(chunks.length === 1 ? chunks[0] : concat(chunks)));
      } catch {
        reject(new UserError("BAD_USER_INPUT", "the body is not UTF-8"));
      }
    });
  });
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function end(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  // As text it leaves in one write with its head.
  response.end(body);
}

/** Looked up by its labels once, not at each request. */
function observer(status: number): Series {
  let found = observers.get(status);
  if (found === undefined) {
    found = seriesOf(httpDuration, { method: "POST", route: "/graphql", status: String(status) });
    observers.set(status, found);
  }
  return found;
}
