/**
 * One HTTP request to another process, by npm `undici`: connections are kept and shared by all that call the same origin. Its `dispatch`
 * costs half of what Deno's fetch does, whose Request, Response and streams nobody here needs.
 */

import { LRUCache } from "lru-cache";
import { Buffer } from "node:buffer";
import { Agent, type Dispatcher } from "undici";
import { UserError } from "../kit/errors.ts";
import { SECOND } from "../kit/time.ts";
import { CallCancelled, type Lifetime } from "./guards/lifetime.ts";

/** How many connections one origin gets; beyond, requests wait for one that is free, within their own limit of time. */
const CONNECTIONS = 128;
/** The longest answer, in bytes. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

// Our side lets go of an idle connection first: one that the other side is closing just then would lose a request. Limits of time are the
// caller's (undici's own are checked each second at best).
const agent = new Agent({
  connections: CONNECTIONS,
  pipelining: 1,
  keepAliveTimeout: 4 * SECOND,
  keepAliveMaxTimeout: 4 * SECOND,
  connect: { timeout: 10 * SECOND },
  headersTimeout: 0,
  bodyTimeout: 0,
});

const known = new LRUCache<string, { origin: string; path: string }>({ max: 1_000 });

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  /** In milliseconds; the request is given up then. */
  readonly limitMs: number;
  /** The longest answer, in bytes; default 64 MiB. */
  readonly mostBytes?: number;
  /** The request is given up as well when nobody waits for its answer any more. */
  readonly lifetime?: Lifetime;
}

/** Names in lower case. */
export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Whatever answer comes, redirects too.
 * @throws UserError `TIMEOUT` after `limitMs`, `SERVICE_UNAVAILABLE` when there is no answer; `cause` says why, for the log.
 * CallCancelled where its lifetime has ended before
 */
export function request(url: string, asked: HttpRequest): Promise<{ status: number; text: string }> {
  return exchange(url, asked, (status, _, body) => ({ status, text: body.toString() }));
}

/** The same, for who passes the answer on as it is. */
export function requestBytes(
  url: string,
  asked: HttpRequest,
): Promise<{ status: number; headers: HttpHeaders; body: Buffer }> {
  return exchange(url, asked, (status, headers, body) => ({ status, headers, body }));
}

function exchange<T>(
  url: string,
  { method, headers, body, limitMs, mostBytes = ANSWER_LIMIT_BYTES, lifetime }: HttpRequest,
  answer: (status: number, headers: HttpHeaders, body: Buffer) => T,
): Promise<T> {
  const { origin, path } = split(url);
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let given: HttpHeaders = {};
    let size = 0;
    const chunks: Buffer[] = [];
    let late: UserError | undefined;
    let ended = false;
    const giveUp = (why: UserError) => {
      clearTimeout(timer);
      ended = true;
      late = why;
      // First: to abort tells onResponseError at once.
      reject(why);
      controller?.abort(why);
    };
    // Where this process was busy for long, timers come before what waits in its sockets: that is read first.
    const timer = setTimeout(() =>
      setImmediate(() => {
        if (ended) return;
        stay?.();
        giveUp(new UserError("TIMEOUT", "a service took too long to answer"));
      }), limitMs);
    const stay = lifetime?.onCancel(() => giveUp(new CallCancelled()));
    if (late !== undefined) return;
    agent.dispatch({ origin, path, method, headers, body }, {
      onRequestStart(started) {
        controller = started;
        // It waited for a connection until then.
        if (late !== undefined) started.abort(late);
      },
      onResponseStart(_, code, headers) {
        status = code;
        given = headers;
      },
      onResponseData(one, chunk) {
        size += chunk.length;
        if (size > mostBytes) one.abort(new Error(`the answer is over ${mostBytes} bytes`));
        else chunks.push(chunk);
      },
      onResponseEnd() {
        ended = true;
        clearTimeout(timer);
        stay?.();
        resolve(answer(status, given, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
      },
      onResponseError(_, error) {
        ended = true;
        clearTimeout(timer);
        stay?.();
        reject(new UserError("SERVICE_UNAVAILABLE", "a service is away just now", {}, error));
      },
    });
  });
}

/** Idle connections are closed. */
export async function closeConnections(): Promise<void> {
  await agent.close();
}

/** The two parts of a URL that undici wants; callers ask the same few again and again. */
function split(url: string): { origin: string; path: string } {
  let parts = known.get(url);
  if (parts === undefined) {
    const { origin, pathname, search } = new URL(url);
    parts = { origin, path: pathname + search };
    known.set(url, parts);
  }
  return parts;
}
