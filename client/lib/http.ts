/** Queries and mutations over HTTP: one try each, with a time limit. In: a document. Out: its data, or a NotifyxError. */

import { errorOf, type GraphQLErrorLike, NotifyxError } from "./errors.ts";

export interface HttpOptions {
  readonly url: string;
  /** `Bearer …`; undefined sends none. */
  readonly authorization: () => Promise<string | undefined>;
  readonly fetch: typeof fetch;
  readonly limitMs: number;
  /** Aborts when the client is closed. */
  readonly signal: AbortSignal;
  /** Of an answer that is there but for some fields below its own. */
  readonly onProblem: (error: NotifyxError) => void;
}

export class Http {
  constructor(private readonly options: HttpOptions) {}

  /** @throws NotifyxError also where only one of the fields asked for has failed; its `data` is the rest */
  async ask<Data>(query: string, variables: object = {}, signal?: AbortSignal): Promise<Data> {
    const { data, errors } = await this.#post(JSON.stringify({ query, variables }), signal);
    if (!errors?.length) return data as Data;
    const error = errorOf(errors, data);
    if (data == null || errors.some(({ path }) => !path || path.length < 2)) throw error;
    this.options.onProblem(error);
    return data as Data;
  }

  async #post(body: string, given?: AbortSignal): Promise<{ data?: unknown; errors?: GraphQLErrorLike[] }> {
    const { url, limitMs, signal } = this.options;
    const abort = new AbortController();
    const stop = () => abort.abort();
    let late = false;
    const timer = setTimeout(() => (late = true, stop()), limitMs);
    const stops = [signal, given];
    for (const one of stops) one?.aborted ? stop() : one?.addEventListener("abort", stop);
    let status = "";
    try {
      const authorization = await this.options.authorization();
      const response = await this.options.fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json",
          ...authorization && { authorization },
        },
        body,
        signal: abort.signal,
      });
      status = `${response.status} `;
      const answer = await response.json();
      if (!("data" in answer) && !Array.isArray(answer.errors)) throw 0;
      return answer;
    } catch (error) {
      if (signal.aborted) throw new NotifyxError("CLOSED", "this client was closed before there was an answer");
      if (given?.aborted) throw given.reason;
      if (late) throw new NotifyxError("TIMEOUT", `no answer within ${limitMs} ms`);
      if (error instanceof NotifyxError) throw error;
      throw new NotifyxError(
        "UNREACHABLE",
        status ? `${status}from ${url}, which is no answer of Notifyx` : `${url} can't be reached`,
      );
    } finally {
      clearTimeout(timer);
      for (const one of stops) one?.removeEventListener("abort", stop);
    }
  }
}
