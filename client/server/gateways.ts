/**
 * Requests to the gateways that discovery names, in turn. One that gave no answer is asked last for a while; what certainly never arrived
 * at it is asked of another, and so is what may be repeated.
 */

import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import { Agent, type Dispatcher } from "undici";
import type { Directory } from "../../kit/directory.ts";
import { reportedError, UserError } from "../../kit/errors.ts";
import { SECOND } from "../../kit/time.ts";

/** How long a gateway that gave no answer is asked last, in milliseconds. */
const AVOID_MS = 2 * SECOND;
/** How long an answer may take to begin, in milliseconds. A gateway's own limit for a query is 10 s by default. */
const ANSWER_LIMIT_MS = 30 * SECOND;
const CONNECT_LIMIT_MS = 3 * SECOND;
/** Nothing was sent to a gateway that could not be connected to. */
const NEVER_ARRIVED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

export interface GatewayRequest {
  readonly method: Dispatcher.HttpMethod;
  /** The path with its query. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: Buffer | string;
  /** Whether it may be asked again though it may have arrived. */
  readonly mayRepeat: boolean;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Has to be read or destroyed. */
  readonly body: Readable;
}

export class Gateways {
  readonly #agent = new Agent({
    pipelining: 1,
    // Our side lets go of an idle connection first: one that the other side is closing just then would lose a request.
    keepAliveTimeout: 4 * SECOND,
    keepAliveMaxTimeout: 4 * SECOND,
    connect: { timeout: CONNECT_LIMIT_MS },
    headersTimeout: ANSWER_LIMIT_MS,
    // An event stream lasts.
    bodyTimeout: 0,
  });
  readonly #silentSince = new Map<string, number>();
  #turn = 0;

  constructor(private readonly directory: Directory, private readonly secret: string) {}

  /** The gateways' URLs in the order in which to try them. @throws UserError `SERVICE_UNAVAILABLE` where there is none */
  inOrder(): string[] {
    const urls = this.directory.instances("gateway").map(({ url }) => url);
    if (urls.length === 0) throw away();
    for (const [url, since] of this.#silentSince) {
      if (Date.now() - since > AVOID_MS) this.#silentSince.delete(url);
    }
    const first = this.#turn++ % urls.length;
    const turned = [...urls.slice(first), ...urls.slice(0, first)];
    return [...turned.filter((url) => !this.isSilent(url)), ...turned.filter((url) => this.isSilent(url))];
  }

  isSilent(url: string): boolean {
    return this.#silentSince.has(url);
  }

  /** It gave no answer. */
  failed(url: string): void {
    this.#silentSince.set(url, Date.now());
  }

  /**
   * What says to a gateway whose request this is: it believes members of the cluster. `before` is what the request says itself, which is
   * believed of proxies that the gateway knows.
   */
  forwarded(address: string, before: string | undefined): Record<string, string> {
    return {
      "x-forwarded-for": before === undefined ? address : `${before}, ${address}`,
      "x-notifyx-member": this.secret,
    };
  }

  /** @throws UserError `SERVICE_UNAVAILABLE` or `TIMEOUT` where no gateway answers */
  async ask(request: GatewayRequest): Promise<GatewayAnswer> {
    let last: unknown;
    for (const url of this.inOrder()) {
      try {
        const { statusCode, headers, body } = await this.#agent.request({
          origin: url,
          path: request.path,
          method: request.method,
          headers: request.headers,
          body: request.body,
        });
        return { status: statusCode, headers, body };
      } catch (error) {
        last = error;
        this.failed(url);
        const { code } = error as { code?: string };
        if (code === "UND_ERR_HEADERS_TIMEOUT") throw new UserError("TIMEOUT", "no answer in time", {}, error);
        if (!request.mayRepeat && !NEVER_ARRIVED.has(code ?? "")) break;
      }
    }
    throw away(last);
  }

  /** The data of an operation, asked for whom `forwarded` names. @throws UserError with the code of the first error */
  async graphql<T>(
    query: string,
    variables: Record<string, unknown>,
    { forwarded, token, requestId }: { forwarded: Record<string, string>; token?: string; requestId: string },
  ): Promise<T> {
    const { body } = await this.ask({
      method: "POST",
      path: "/graphql",
      headers: {
        ...forwarded,
        "content-type": "application/json",
        "accept": "application/json",
        "x-request-id": requestId,
        ...token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
      body: JSON.stringify({ query, variables }),
      mayRepeat: !query.startsWith("mutation"),
    });
    const { data, errors, ...refused } = JSON.parse(await text(body));
    const first = errors?.[0];
    if (first === undefined && refused.code === undefined) return data;
    throw (first === undefined
      ? reportedError(refused.error, refused)
      : reportedError(first.message, first.extensions ?? {})) ??
      new UserError("INTERNAL", "internal error");
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

async function text(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function away(cause?: unknown): UserError {
  return new UserError("SERVICE_UNAVAILABLE", "no gateway answers just now", { retryAfterSeconds: 1 }, cause);
}
