import { decodeJwt, decodeProtectedHeader } from "jose";
import assert from "node:assert/strict";
import { IdentityVerifier } from "../../kit/identity.ts";
import { newId } from "../../kit/ids.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { Identities } from "./identities.ts";
import { MIGRATIONS } from "./migrations/mod.ts";

const SESSION = { id: newId(), userId: newId(), expiresAt: new Date(Date.now() + 3_600_000), confirmed: false };
const UNAUTHENTICATED = { code: "UNAUTHENTICATED" };

Deno.test("identities - eight nodes that start together make one key, of which only the public part is shown", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    // Eight open connections, or opening them one after another would keep the nodes apart.
    await Promise.all(Array.from({ length: 8 }, () => sql`select pg_sleep(0.1)`));
    const nodes = await Promise.all(Array.from({ length: 8 }, () => Identities.create(sql)));
    assert.equal((await sql`select 1 from signing_keys`).length, 1);
    for (const { keys } of nodes) assert.deepEqual(keys, nodes[0]!.keys);
    assert.deepEqual(Object.keys(nodes[0]!.keys.keys[0]!).sort(), ["alg", "crv", "kid", "kty", "use", "x"]);
  }));

Deno.test("identities - one node's is accepted by the keys of another, after a restart too", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    const { identity } = await (await Identities.create(sql)).sign(SESSION);
    const { keys } = await Identities.create(sql);
    const verifier = new IdentityVerifier(() => Promise.resolve(keys));
    assert.deepEqual(await verifier.verify(identity), { userId: SESSION.userId, sessionId: SESSION.id });
  }));

Deno.test("identities - an anonymous caller has one that names nobody", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    const identities = await Identities.create(sql);
    const { identity } = await identities.sign(null);
    assert.equal(await new IdentityVerifier(() => Promise.resolve(identities.keys)).verify(identity), null);
    const { sub, sid } = decodeJwt(identity);
    assert.deepEqual([sub, sid], [undefined, undefined]);
  }));

Deno.test("identities - last a minute, or as long as their session", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    const identities = await Identities.create(sql);
    const long = await identities.sign(SESSION);
    const { iat, exp } = decodeJwt(long.identity);
    assert.equal(exp! - iat!, 60);
    assert.equal(long.expiresAt.getTime(), exp! * 1000);
    assert.equal(decodeProtectedHeader(long.identity).kid, identities.keys.keys[0]!.kid);
    const expiresAt = new Date(Date.now() + 10_000);
    const short = await identities.sign({ ...SESSION, expiresAt });
    assert.equal(decodeJwt(short.identity).exp, Math.floor(expiresAt.getTime() / 1000));
  }));

Deno.test("identities - one that is changed, unsigned, expired or by a foreign key is refused", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    const identities = await Identities.create(sql);
    const verifier = new IdentityVerifier(() => Promise.resolve(identities.keys));
    const { identity } = await identities.sign(SESSION);
    const [header, payload, signature] = identity.split(".") as [string, string, string];
    const forged = btoa(JSON.stringify({ ...decodeJwt(identity), sub: newId() })).replace(/=+$/, "");
    const none = btoa(JSON.stringify({ ...decodeProtectedHeader(identity), alg: "none" })).replace(/=+$/, "");
    const expired = await identities.sign({ ...SESSION, expiresAt: new Date(Date.now() - 10_000) });
    await sql`delete from signing_keys`;
    const foreign = await (await Identities.create(sql)).sign(SESSION);
    const wrong = [
      undefined,
      "",
      "x",
      `${header}.${forged}.${signature}`,
      `${none}.${payload}.`,
      `${header}.${payload}.`,
      expired.identity,
      foreign.identity,
    ];
    for (const token of wrong) await assert.rejects(verifier.verify(token), UNAUTHENTICATED, `${token}`);
    assert.ok(await verifier.verify(identity));
  }));
