/**
 * Signs the identities that the gateway sends with its calls (kit/identity.ts checks them): JWTs of a minute, by one Ed25519 key that all
 * nodes of auth share through the database. Other processes get its public part from `GET /api/keys`.
 */

import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import type { JSONWebKeySet } from "jose";
import type { Sql } from "../../kit/database.ts";
import { IDENTITY_AUDIENCE, IDENTITY_ISSUER, IDENTITY_SECONDS, IDENTITY_TYPE } from "../../kit/identity.ts";
import { SECOND } from "../../kit/time.ts";
import type { Session } from "./sessions.ts";

const ALGORITHM = "EdDSA";

export interface SignedIdentity {
  readonly identity: string;
  readonly expiresAt: Date;
}

export class Identities {
  private constructor(
    private readonly key: CryptoKey,
    private readonly kid: string,
    readonly keys: JSONWebKeySet,
    private readonly confirmAddresses: boolean,
  ) {}

  /**
   * With the key of the database, which the first node makes. With `confirmAddresses` an identity says of whom hasn't confirmed their
   * address that they haven't.
   */
  static async create(sql: Sql, confirmAddresses = false): Promise<Identities> {
    const all = await loadKeys(sql) ?? await makeFirstKey(sql);
    const [newest] = all;
    const key = await importJWK(newest!, ALGORITHM) as CryptoKey;
    return new Identities(key, newest!.kid!, { keys: all.map(publicPart) }, confirmAddresses);
  }

  /** The identity of a session's user, or of an anonymous caller; it ends no later than the session. */
  async sign(session: Session | null): Promise<SignedIdentity> {
    const now = Math.floor(Date.now() / SECOND);
    const sessionEnd = session === null ? Infinity : Math.floor(session.expiresAt.getTime() / SECOND);
    const expiry = Math.min(now + IDENTITY_SECONDS, sessionEnd);
    const unconfirmed = this.confirmAddresses && session?.confirmed === false ? { unconfirmed: true } : {};
    const jwt = new SignJWT(session === null ? {} : { sid: session.id, ...unconfirmed })
      .setProtectedHeader({ alg: ALGORITHM, kid: this.kid, typ: IDENTITY_TYPE })
      .setIssuer(IDENTITY_ISSUER)
      .setAudience(IDENTITY_AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(expiry);
    if (session !== null) jwt.setSubject(session.userId);
    return { identity: await jwt.sign(this.key), expiresAt: new Date(expiry * SECOND) };
  }
}

/** The private keys, newest first; `undefined` where there are none. */
async function loadKeys(sql: Sql): Promise<JWK[] | undefined> {
  const rows = await sql<{ kid: string; jwk: JWK }[]>`
    select kid, private_jwk as jwk from signing_keys order by created_at desc, kid`;
  return rows.length === 0 ? undefined : rows.map(({ kid, jwk }) => ({ ...jwk, kid }));
}

async function makeFirstKey(sql: Sql): Promise<JWK[]> {
  const pair = await generateKeyPair(ALGORITHM, { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(pair.privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return await sql.begin(async (transaction) => {
    // Nodes that start together wait here for each other: the first makes the key, the rest find it.
    await transaction`lock table signing_keys in exclusive mode`;
    const found = await loadKeys(transaction as unknown as Sql);
    if (found !== undefined) return found;
    await transaction`insert into signing_keys (kid, private_jwk) values (${kid}, ${
      transaction.json({ ...jwk } as never)
    })`;
    return [{ ...jwk, kid }];
  }) as JWK[];
}

/** Named member by member, so that the private one can't slip through. */
function publicPart({ kty, crv, x, kid }: JWK): JWK {
  return { kty: kty!, crv: crv!, x: x!, kid: kid!, alg: ALGORITHM, use: "sig" };
}
