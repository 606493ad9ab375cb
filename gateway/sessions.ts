/**
 * Exchanges a session's token for the signed identity that goes to the services (auth's `POST /api/identity`), and remembers it:
 * a user's requests within half a minute cost one exchange. A session that ends, on whichever gateway, is forgotten at once, and who
 * watches it is told (ended_sessions.ts, session_watches.ts).
 *
 * Nothing is missed: what is asked of auth is registered before it is asked, and an end that is heard meanwhile makes its answer void.
 * While auth is away what is known serves on; ends are applied when it is back.
 */

import { LRUCache } from "lru-cache";
import { createHash } from "node:crypto";
import { lookupsOf, measureCache } from "../kit/cache_metrics.ts";
import { callFor } from "../kit/call.ts";
import { UserError } from "../kit/errors.ts";
import type { Logger } from "../kit/log.ts";
import { counter, gauge } from "../kit/metrics.ts";
import { SECOND } from "../kit/time.ts";
import type { Balancer } from "./balancer.ts";
import { EndedSessions } from "./ended_sessions.ts";
import { SessionDoubts } from "./session_doubts.ts";
import { SessionWatches } from "./session_watches.ts";

export interface Session {
  /** What services get in `x-notifyx-identity`. */
  readonly identity: string;
  /** Null for an anonymous caller. */
  readonly userId: string | null;
  /** When the identity ends, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** When the session itself ends, in milliseconds since 1970; Infinity for an anonymous caller's, which has none. */
  readonly sessionEndsAt: number;
}

interface Exchanged {
  readonly identity: string;
  readonly expiresAt: string;
  readonly userId: string | null;
  readonly sessionExpiresAt: string | null;
}

interface Exchange {
  session: Promise<Session>;
  /** The session has ended since auth was asked: what it answers is void. */
  hasEnded: boolean;
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

/** How the gateway learned that a session has ended. */
type How = "told" | "expired" | "refused" | "asked";

const endedCount = counter("notifyx_sessions_ended_total");
const lookups = lookupsOf("sessions");
const lostCount = counter("notifyx_sessions_stream_lost_total");

export function measureSessions(sessions: Pick<Sessions, "known">): void {
  gauge("notifyx_sessions_known", () => sessions.known);
}

export class Sessions {
  /** By the hash of the token: a dump of this process's memory holds no token for longer than a request. */
  readonly #known = new LRUCache<string, Session>({ max: MOST_SESSIONS });
  readonly #exchanging = new Map<string, Exchange>();
  readonly #watches: SessionWatches;
  readonly #doubts: SessionDoubts;
  readonly #ended: EndedSessions;

  constructor(private readonly balancer: Balancer, private readonly secret: string, log: Logger) {
    measureCache("sessions", this.#known);
    this.#watches = new SessionWatches(log, (key) => this.#end(key, "expired"));
    this.#doubts = new SessionDoubts(balancer, secret, log, {
      isKnown: (key) => this.#watches.has(key) || this.#known.has(key) || this.#exchanging.has(key),
      lives: (key, endsAt) => this.#watches.expiresAt(key, endsAt),
      hasEnded: (key) => this.#end(key, "asked"),
    });
    this.#ended = new EndedSessions(balancer, secret, log, (key) => this.#end(key, "told"), () => this.#doubtAll());
  }

  /** How many are remembered. */
  get known(): number {
    return this.#known.size;
  }

  start(): void {
    this.#ended.start();
  }

  async stop(): Promise<void> {
    this.#watches.stop();
    await Promise.all([this.#ended.stop(), this.#doubts.stop()]);
  }

  /**
   * The session of `token`; null is an anonymous caller's.
   * @throws UserError `UNAUTHENTICATED` for a token that is none or has ended, `SERVICE_UNAVAILABLE` or `TIMEOUT` when auth can't be asked
   */
  of(token: string | null): Promise<Session> {
    return this.ofKey(keyOf(token), token);
  }

  /** The same for who asks again and again, with {@link keyOf} of the token. */
  async ofKey(key: string, token: string | null): Promise<Session> {
    if (token !== null && (token.length > TOKEN_LIMIT || !/^[\w-]+$/.test(token))) throw endedSession();
    const known = this.#known.get(key);
    const leftMs = known === undefined ? 0 : known.expiresAt - Date.now();
    if (known !== undefined && leftMs > LEAST_LEFT_MS) lookups.hits++;
    else lookups.misses++;
    if (known !== undefined && leftMs > RENEW_BEFORE_MS) return known;
    const exchanging = this.#exchange(key, token);
    if (known !== undefined && leftMs > LEAST_LEFT_MS) {
      exchanging.catch(() => {});
      return known;
    }
    return await exchanging;
  }

  /**
   * Calls `onEnded` once, within a second of the session's end by whatever way, its expiry included; the answer ends the watch. It may be
   * begun at any moment, also when the session has ended already; who begins it before asking {@link of} acts on no session that ended
   * in between. `onEnded` is never called before this has returned.
   */
  watch(token: string, onEnded: () => void): () => void {
    const key = hash(token);
    const unwatch = this.#watches.add(key, onEnded);
    const known = this.#known.peek(key);
    if (known !== undefined) this.#watches.expiresAt(key, known.sessionEndsAt);
    else {
      this.of(token).catch((error) => {
        if (isUnauthenticated(error)) this.#end(key, "refused");
        else this.#doubts.add([key]);
      });
    }
    return unwatch;
  }

  /** Forgets what is known of a token, since its session may have ended, and what is being asked about it. */
  forget(token: string): void {
    const key = hash(token);
    this.#known.delete(key);
    this.#exchanging.delete(key);
  }

  #exchange(key: string, token: string | null): Promise<Session> {
    const pending = this.#exchanging.get(key);
    if (pending !== undefined) return pending.session;
    const exchange: Exchange = { hasEnded: false, session: undefined as never };
    // An answer that was on its way when the session ended may still say that it lives.
    const isCurrent = () => this.#exchanging.get(key) === exchange;
    exchange.session = this.#ask(token)
      .then((session) => {
        if (exchange.hasEnded) throw endedSession();
        this.#watches.expiresAt(key, session.sessionEndsAt);
        // Forgotten meanwhile: auth may have looked before what made it so.
        if (!isCurrent()) return this.#exchange(key, token);
        this.#known.set(key, session);
        return session;
      }, (error) => {
        // It has ended: what is remembered must not serve any longer. When auth is only away, it does.
        if (isUnauthenticated(error)) this.#end(key, "refused");
        throw error;
      })
      .finally(() => {
        if (isCurrent()) this.#exchanging.delete(key);
      });
    this.#exchanging.set(key, exchange);
    return exchange.session;
  }

  async #ask(token: string | null): Promise<Session> {
    const body = token === null ? {} : { token };
    try {
      const answer = await this.balancer.ask("auth", EXCHANGE_LIMIT_MS, ({ url }, limitMs) => {
        return callFor<Exchanged>(`${url}/api/identity`, { body, secret: this.secret, limitMs });
      });
      const { identity, userId, expiresAt, sessionExpiresAt } = answer;
      const sessionEndsAt = sessionExpiresAt == null ? Infinity : Date.parse(sessionExpiresAt);
      return { identity, userId, expiresAt: Date.parse(expiresAt), sessionEndsAt };
    } catch (error) {
      throw isUnauthenticated(error) ? endedSession() : error;
    }
  }

  /** A session that has ended never lives again. */
  #end(key: string, how: How): void {
    const wasKnown = this.#known.delete(key);
    const exchange = this.#exchanging.get(key);
    if (exchange !== undefined) exchange.hasEnded = true;
    this.#exchanging.delete(key);
    const wasWatched = this.#watches.end(key);
    if (wasKnown || wasWatched) endedCount.inc({ how });
  }

  /** What is being exchanged as well: auth may have looked before the session ended, and the stream begins behind that. */
  #doubtAll(): void {
    lostCount.inc();
    const keys = new Set([...this.#watches.keys(), ...this.#exchanging.keys(), ...this.#known.keys()]);
    keys.delete(ANONYMOUS);
    this.#doubts.add(keys);
  }
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof UserError && error.code === "UNAUTHENTICATED";
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

/** What a session is known by here: the hash of its token. */
export function keyOf(token: string | null): string {
  return token === null ? ANONYMOUS : hash(token);
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
