/**
 * Exchanges a session's token for the signed identity that goes to the services (auth's `POST /api/identity`), and remembers it:
 * a user's requests within half a minute cost one exchange.
 */

import { LRUCache } from "lru-cache";
import { createHash } from "node:crypto";
import { callFor } from "../kit/call.ts";
import { UserError } from "../kit/errors.ts";
import { SECOND } from "../kit/time.ts";
import type { Balancer } from "./balancer.ts";

export interface Session {
  /** What services get in `x-notifyx-identity`. */
  readonly identity: string;
  /** Null for an anonymous caller. */
  readonly userId: string | null;
  /** When the identity ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

interface Exchanged {
  readonly identity: string;
  readonly expiresAt: string;
  readonly userId: string | null;
}

/** How many identities are remembered. */
const MOST_SESSIONS = 100_000;
/** An identity with less than this left is exchanged anew, while the one at hand still serves, in milliseconds. */
const RENEW_BEFORE_MS = 30 * SECOND;
/** An identity must last as long as the call that carries it, in milliseconds. */
const LEAST_LEFT_MS = 3 * SECOND;
const EXCHANGE_LIMIT_MS = 3 * SECOND;
/** The longest token that is looked at, in characters. */
const TOKEN_LIMIT = 200;
const ANONYMOUS = "";

export class Sessions {
  /** By the hash of the token: a dump of this process's memory holds no token for longer than a request. */
  readonly #known = new LRUCache<string, Session>({ max: MOST_SESSIONS });
  readonly #exchanging = new Map<string, Promise<Session>>();

  constructor(private readonly balancer: Balancer, private readonly secret: string) {}

  /**
   * The session of `token`; null is an anonymous caller's.
   * @throws UserError `UNAUTHENTICATED` for a token that is none or has ended, `SERVICE_UNAVAILABLE` or `TIMEOUT` when auth can't be asked
   */
  async of(token: string | null): Promise<Session> {
    if (token !== null && (token.length > TOKEN_LIMIT || !/^[\w-]+$/.test(token))) throw endedSession();
    const key = token === null ? ANONYMOUS : hash(token);
    const known = this.#known.get(key);
    const leftMs = known === undefined ? 0 : known.expiresAt - Date.now();
    if (known !== undefined && leftMs > RENEW_BEFORE_MS) return known;
    const exchanging = this.#exchange(key, token);
    if (known !== undefined && leftMs > LEAST_LEFT_MS) {
      exchanging.catch(() => {});
      return known;
    }
    return await exchanging;
  }

  /** Forgets what is known of a token, since its session has ended, and what is being asked about it. */
  forget(token: string): void {
    const key = hash(token);
    this.#known.delete(key);
    this.#exchanging.delete(key);
  }

  #exchange(key: string, token: string | null): Promise<Session> {
    const pending = this.#exchanging.get(key);
    if (pending !== undefined) return pending;
    // An answer that was on its way when the session ended may still say that it lives.
    const isCurrent = () => this.#exchanging.get(key) === exchanging;
    const exchanging: Promise<Session> = this.#ask(token)
      .then((session) => {
        if (isCurrent()) this.#known.set(key, session);
        return session;
      }, (error) => {
        // It has ended: what is remembered must not serve any longer. When auth is only away, it does.
        if (error instanceof UserError && error.code === "UNAUTHENTICATED") this.#known.delete(key);
        throw error;
      })
      .finally(() => {
        if (isCurrent()) this.#exchanging.delete(key);
      });
    this.#exchanging.set(key, exchanging);
    return exchanging;
  }

  async #ask(token: string | null): Promise<Session> {
    const body = token === null ? {} : { token };
    try {
      const { identity, userId, expiresAt } = await this.balancer.ask("auth", EXCHANGE_LIMIT_MS, ({ url }, limitMs) => {
        return callFor<Exchanged>(`${url}/api/identity`, { body, secret: this.secret, limitMs });
      });
      return { identity, userId, expiresAt: Date.parse(expiresAt) };
    } catch (error) {
      throw error instanceof UserError && error.code === "UNAUTHENTICATED" ? endedSession() : error;
    }
  }
}

/** The token of `Authorization: Bearer TOKEN`; null where there is no such header. @throws UserError `UNAUTHENTICATED` for another scheme */
export function bearerToken(header: unknown): string | null {
  if (header === undefined || header === null || header === "") return null;
  const match = typeof header === "string" ? /^Bearer +(\S+) *$/i.exec(header) : null;
  if (match === null) throw new UserError("UNAUTHENTICATED", "the authorization is not of the form: Bearer TOKEN");
  return match[1]!;
}

export function endedSession(): UserError {
  return new UserError("UNAUTHENTICATED", "there is no such session, or it has ended: sign in again");
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
