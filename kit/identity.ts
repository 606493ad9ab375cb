/**
 * The identity that the gateway sends with each call in `x-notifyx-identity`: a JWT of at most one minute, signed by auth with Ed25519,
 * that says on whose behalf the call is made. Anonymous callers have one too. No bare header is ever trusted.
 */

import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import { lookupsOf, measureCache } from "./cache_metrics.ts";
import { callFor } from "./call.ts";
import type { Directory } from "./directory.ts";
import { UserError } from "./errors.ts";
import { SECOND } from "./time.ts";

export const IDENTITY_HEADER = "x-notifyx-identity";
export const IDENTITY_ISSUER = "notifyx-auth";
export const IDENTITY_AUDIENCE = "notifyx";
export const IDENTITY_TYPE = "notifyx-identity+jwt";
/** How long an identity lasts, in seconds; shorter when its session ends sooner. */
export const IDENTITY_SECONDS = 60;

/** Who asks: a signed-in user by one of their sessions. */
export interface Viewer {
  readonly userId: string;
  readonly sessionId: string;
  /** Their address was still to be confirmed when this was signed; it may have been since, which auth knows (addresses.ts). */
  readonly unconfirmed?: true;
}

/** `null` is an anonymous caller. */
export type Identity = Viewer | null;

/** Clocks of two machines may differ by this much, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** Keys are asked for again at most this often, in milliseconds, whatever key ids the callers invent. */
const REFRESH_PAUSE_MS = SECOND;

const lookups = lookupsOf("identities");

export class IdentityVerifier {
  /** A signature costs 100 µs or more to check, and a user's identity comes again and again for a minute. */
  readonly #verified = new LRUCache<string, { identity: Identity; expiresAt: number }>({ max: 10_000 });
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;
  #fetchedAt = 0;
  #fetching: Promise<void> | undefined;

  constructor(private readonly fetchKeys: () => Promise<JSONWebKeySet>) {
    measureCache("identities", this.#verified);
  }

  /** @throws UserError `UNAUTHENTICATED` for a missing, wrong or expired one; `SERVICE_UNAVAILABLE` while auth's keys can't be had. */
  async verify(token: string | undefined): Promise<Identity> {
    if (!token) throw new UserError("UNAUTHENTICATED", "this call carries no identity");
    const now = Date.now() / 1000;
    const known = this.#verified.get(token);
    if (known !== undefined && known.expiresAt > now) {
      lookups.hits++;
      return known.identity;
    }
    lookups.misses++;
    const { payload } = await this.#check(token);
    const { sub, sid, exp, unconfirmed } = payload;
    if (typeof exp !== "number" || (sub !== undefined && typeof sid !== "string")) throw refused();
    const viewer = { userId: sub ?? "", sessionId: sid as string };
    const identity: Identity = sub === undefined ? null : unconfirmed === true ? { ...viewer, unconfirmed } : viewer;
    this.#verified.set(token, { identity, expiresAt: exp });
    return identity;
  }

  async #check(token: string) {
    for (let attempt = 0;; attempt++) {
      if (this.#keys === undefined) await this.#refresh();
      try {
        return await jwtVerify(token, this.#keys!, {
          algorithms: ["EdDSA", "Ed25519"],
          issuer: IDENTITY_ISSUER,
          audience: IDENTITY_AUDIENCE,
          typ: IDENTITY_TYPE,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
        });
      } catch (error) {
        // Auth may have a newer key than those fetched here.
        const mayBeNew = error instanceof errors.JWKSNoMatchingKey && attempt === 0 &&
          Date.now() - this.#fetchedAt > REFRESH_PAUSE_MS;
        if (!mayBeNew) throw refused();
        await this.#refresh();
      }
    }
  }

  async #refresh(): Promise<void> {
    this.#fetching ??= this.fetchKeys().then((keys) => {
      this.#keys = createLocalJWKSet(keys);
      this.#fetchedAt = Date.now();
    }).finally(() => this.#fetching = undefined);
    await this.#fetching;
  }
}

/** Auth's public keys, from whichever of its instances answers first in turn. */
export async function fetchAuthKeys(directory: Directory): Promise<JSONWebKeySet> {
  let last: unknown = new UserError("SERVICE_UNAVAILABLE", "auth is away just now");
  for (const { url } of directory.instances("auth")) {
    try {
      return await callFor<JSONWebKeySet>(`${url}/api/keys`, { limitMs: 2 * SECOND });
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function refused(): UserError {
  return new UserError("UNAUTHENTICATED", "this call's identity is wrong or has expired");
}
