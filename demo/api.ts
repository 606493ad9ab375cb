/**
 * The public GraphQL API, asked as any client would. In: an operation. Out: its data. It keeps within the limits by itself: who is told to come
 * back later does so then, and who is not answered asks again, more and more rarely. So each operation has to be one that may be repeated.
 */

import { backoffMs, delay, MINUTE, SECOND } from "../kit/time.ts";

/** How long an answer is waited for, in milliseconds. */
const CALL_LIMIT_MS = 15 * SECOND;
/** For how long somebody who isn't there is asked again, and how often. */
const AWAY_LIMIT_MS = MINUTE;
const AWAY_FIRST_MS = SECOND / 2;
const AWAY_MOST_MS = 10 * SECOND;
/** The longest that is waited where the limits say so, in seconds. */
const MOST_RETRY_SECONDS = 5 * 60;
/** A wait that is worth a line. */
const TOLD_MS = 2 * SECOND;

const LATER = ["RATE_LIMITED", "TOO_MANY_REQUESTS"];
const AWAY = ["SERVICE_UNAVAILABLE", "TIMEOUT"];

interface GraphQLAnswer {
  readonly data?: unknown;
  /** Of what was refused before it was read as GraphQL, which says it all by itself. */
  readonly code?: string;
  readonly error?: string;
  readonly errors?: readonly { message: string; extensions?: { code?: string; retryAfterSeconds?: number } }[];
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(readonly code: string, message: string, readonly retryAfterSeconds?: number) {
    super(message);
  }
}

/** Thrown instead of asking once more when the demo is being stopped. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

export class Api {
  /** Until then a wait has been told. */
  #toldUntil = 0;

  constructor(
    readonly url: string,
    private readonly stopping: AbortSignal,
    private readonly say: (line: string) => void,
  ) {}

  /** @throws ApiError what the API says, when waiting is over; Stopped */
  async ask<T>(query: string, variables: unknown = {}, token?: string): Promise<T> {
    const giveUpAt = performance.now() + AWAY_LIMIT_MS;
    for (let attempt = 0;; attempt++) {
      if (this.stopping.aborted) throw new Stopped();
      try {
        return await this.askOnce<T>(query, variables, token);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        const { code, retryAfterSeconds } = error;
        const isAway = AWAY.includes(code);
        if (!isAway && !LATER.includes(code) || isAway && performance.now() > giveUpAt) throw error;
        const waitMs = retryAfterSeconds === undefined
          ? backoffMs(attempt, AWAY_FIRST_MS, AWAY_MOST_MS)
          : Math.min(retryAfterSeconds, MOST_RETRY_SECONDS) * SECOND;
        if (waitMs >= TOLD_MS) this.#tell(code, waitMs);
        await delay(waitMs, this.stopping);
      }
    }
  }

  /** Of several that wait at the same time, one says so. */
  #tell(code: string, waitMs: number): void {
    const now = performance.now();
    if (now < this.#toldUntil) return;
    this.#toldUntil = now + waitMs;
    this.say(`${code}: going on in ${Math.ceil(waitMs / SECOND)} s`);
  }

  /** @throws ApiError */
  async askOnce<T>(query: string, variables: unknown = {}, token?: string): Promise<T> {
    let response: Response;
    let answer: GraphQLAnswer;
    try {
      response = await fetch(`${this.url}/graphql`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...token === undefined ? {} : { authorization: `Bearer ${token}` },
        },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(CALL_LIMIT_MS),
      });
      answer = await response.json();
    } catch {
      throw new ApiError("SERVICE_UNAVAILABLE", `nothing that speaks GraphQL answers at ${this.url}/graphql`);
    }
    const fault = answer.errors?.[0];
    if (fault !== undefined) {
      const { code = "INTERNAL", retryAfterSeconds } = fault.extensions ?? {};
      throw new ApiError(code, fault.message, retryAfterSeconds);
    }
    if (answer.data === undefined) {
      const retryAfter = response.headers.get("retry-after");
      const { code = "INTERNAL", error = `status ${response.status}` } = answer;
      throw new ApiError(code, error, retryAfter === null ? undefined : Number(retryAfter));
    }
    return answer.data as T;
  }
}
