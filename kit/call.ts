/** A call from one process to another: JSON in, JSON out, with a limit of time, the cluster's secret and the request's id. */

import { DEADLINE_HEADER } from "./deadline.ts";
import { reportedError, UserError } from "./errors.ts";

export interface CallOptions {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
  /** The cluster's secret, for routes that only members may ask. */
  readonly secret?: string;
  /** In milliseconds; the call is given up then. */
  readonly limitMs: number;
  readonly headers?: Record<string, string>;
  /** Gives the call up before its limit. */
  readonly signal?: AbortSignal;
}

export interface CallAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Whatever answer comes, as its status and its body read as JSON (`null` where it is none).
 * @throws UserError `TIMEOUT` after `limitMs`, `SERVICE_UNAVAILABLE` when there is no answer; `cause` says why, for the log.
 */
export async function call(url: string, options: CallOptions): Promise<CallAnswer> {
  const headers: Record<string, string> = {
    ...options.headers,
    [DEADLINE_HEADER]: String(Date.now() + Math.ceil(options.limitMs)),
  };
  if (options.secret !== undefined) headers.authorization = `Bearer ${options.secret}`;
  if (options.body !== undefined) headers["content-type"] = "application/json";
  // One timer for the head and the body, cleared as soon as both are there: AbortSignal.timeout would live on for the whole limit.
  const abort = new AbortController();
  const giveUp = () => abort.abort();
  const timer = setTimeout(giveUp, options.limitMs);
  options.signal?.addEventListener("abort", giveUp);
  if (options.signal?.aborted) giveUp();
  try {
    const response = await fetch(url, {
      method: options.method ?? (options.body === undefined ? "GET" : "POST"),
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: abort.signal,
      redirect: "manual",
    });
    const text = await response.text();
    return { status: response.status, body: parse(text) };
  } catch (error) {
    if (abort.signal.aborted) throw new UserError("TIMEOUT", "a service took too long to answer", {}, error);
    throw new UserError("SERVICE_UNAVAILABLE", "a service is away just now", {}, error);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", giveUp);
  }
}

/** The body of a 2xx answer. @throws UserError with the code that the answer names, else `SERVICE_UNAVAILABLE`. */
export async function callFor<T>(url: string, options: CallOptions): Promise<T> {
  const { status, body } = await call(url, options);
  if (status >= 200 && status < 300) return body as T;
  const said = (body ?? {}) as Record<string, unknown>;
  throw reportedError(said.error, said) ??
    new UserError("SERVICE_UNAVAILABLE", "a service could not answer", {}, new Error(`${status} from ${url}`));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
