/** What members of the cluster ask of each other, asked by a stranger: 401, and nothing has happened. */

import { serverAudits } from "graphql-http";
import { generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import assert from "node:assert/strict";
import { IDENTITY_AUDIENCE, IDENTITY_ISSUER, IDENTITY_TYPE } from "../kit/identity.ts";
import { Answers } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { SECRET, startSystem } from "./helpers/system.ts";

Deno.test("members - routes and graphs of the inside are closed to strangers", async (t) => {
  await using system = await startSystem();
  using answers = new Answers();
  const ann = await User.register(system);
  const outcome = async (address: string, init: RequestInit) => {
    const response = await fetch(address, init);
    const body = await response.json().catch(() => null);
    return [response.status, body?.errors?.[0]?.extensions.code ?? body?.code];
  };

  await t.step("every route of members takes the cluster's secret, and no other", async () => {
    const transaction = '{"transactionId":"x"}';
    const instance = '{"service":"counter","url":"http://evil.example"}';
    const routes: [string, string, string?][] = [
      ["GET", `${system.url()}/api/transactions/x`],
      ["POST", `${system.url()}/api/transactions/x/inquire`],
      ["GET", `${system.url("notifications")}/api/feed`],
      [
        "POST",
        `${system.url("notifications")}/api/feed/replay`,
        `{"userId":"${ann.id}","topicId":null,"after":null,"upTo":null}`,
      ],
      ["POST", `${system.url("auth")}/api/identity`, "{}"],
      ["GET", `${system.url("auth")}/api/sessions/ended`],
      ["POST", `${system.url("auth")}/api/sessions/living`, '{"hashes":[]}'],
      ["PUT", `${system.url("discovery")}/api/instances/x`, instance],
      ["DELETE", `${system.url("discovery")}/api/instances/x`],
    ];
    for (const participant of ["notifications", "counter"] as const) {
      const prepare = '{"transactionId":"x","operation":"sendNotification","input":{}}';
      routes.push(["POST", `${system.url(participant)}/api/prepare_2pc`, prepare]);
      routes.push(["POST", `${system.url(participant)}/api/commit_2pc`, transaction]);
      routes.push(["DELETE", `${system.url(participant)}/api/rollback_2pc`, transaction]);
    }
    const wrong = [
      undefined,
      "Bearer",
      `Bearer ${SECRET.slice(1)}`,
      `Bearer ${SECRET}x`,
      SECRET,
      `Basic ${SECRET}`,
      `Bearer ${ann.token}`,
    ];
    for (const [method, address, body] of routes) {
      for (const authorization of wrong) {
        const headers = { "content-type": "application/json", ...authorization && { authorization } };
        const asked = await outcome(address, { method, headers, body });
        assert.deepEqual(asked, [401, "UNAUTHENTICATED"], `${method} ${address} ${authorization}`);
      }
    }
    const { services } = await ann.get("{ services { name instances { id } } }");
    assert(services.every((one: { instances: { id: string }[] }) => one.instances.every(({ id }) => id !== "x")));
    for (const service of ["notifications", "counter"] as const) {
      assert.equal((await system.database(service)`select from two_phase_outcomes`).length, 0);
    }
    assert.equal((await outcome(routes[0]![1], { headers: { authorization: `Bearer ${SECRET}` } }))[0], 200);
  });

  await t.step("a service's graph takes only an identity that auth has signed for it", async () => {
    const [row] = await system.database("auth")<{ kid: string; jwk: JWK }[]>`
      select kid, private_jwk as jwk from signing_keys`;
    const { kid, jwk } = row!;
    const real = await importJWK(jwk, "EdDSA");
    const { privateKey: foreign } = await generateKeyPair("EdDSA");
    const claims = { key: real, audience: IDENTITY_AUDIENCE, issuer: IDENTITY_ISSUER, typ: IDENTITY_TYPE, seconds: 60 };
    const sign = ({ key, audience, issuer, typ, seconds }: typeof claims) =>
      new SignJWT({ sid: "x" }).setProtectedHeader({ alg: "EdDSA", kid, typ }).setSubject(ann.id)
        .setIssuer(issuer).setAudience(audience).setIssuedAt().setExpirationTime(
          Math.floor(Date.now() / 1000) + seconds,
        )
        .sign(key);
    const good = await sign(claims);
    const [header, payload, signature] = good.split(".") as [string, string, string];
    const unsigned = btoa('{"alg":"none"}').replace(/=+$/, "");
    const publicKey = new TextEncoder().encode(jwk.x);
    const bySymmetricKey = await new SignJWT({ sid: "x", sub: ann.id }).setProtectedHeader({
      alg: "HS256",
      kid,
      typ: IDENTITY_TYPE,
    })
      .setIssuer(IDENTITY_ISSUER).setAudience(IDENTITY_AUDIENCE).setExpirationTime("1m").sign(publicKey);
    const refused: Record<string, string | undefined> = {
      none: undefined,
      "no token": "x",
      "a session's token": ann.token,
      "a foreign key": await sign({ ...claims, key: foreign }),
      "another audience": await sign({ ...claims, audience: "elsewhere" }),
      "another issuer": await sign({ ...claims, issuer: "elsewhere" }),
      "another type": await sign({ ...claims, typ: "JWT" }),
      expired: await sign({ ...claims, seconds: -10 }),
      "no signature": `${unsigned}.${payload}.`,
      "a signature cut short": `${header}.${payload}.${signature.slice(1)}`,
      "the public key as a secret": bySymmetricKey,
    };
    for (const service of ["auth", "notifications", "counter"] as const) {
      const ask = (identity?: string) =>
        outcome(`${system.url(service)}/graphql`, {
          method: "POST",
          headers: { "content-type": "application/json", ...identity && { "x-notifyx-identity": identity } },
          body: '{"query":"{ __typename }"}',
        });
      for (const [name, identity] of Object.entries(refused)) {
        assert.deepEqual(await ask(identity), [401, "UNAUTHENTICATED"], `${service}: ${name}`);
      }
      assert.deepEqual(await ask(good), [200, undefined], service);
      await passesAudits(`${system.url(service)}/graphql`, good);
    }
  });

  assert(await answers.check() > 100);
});

/** With an identity a service speaks GraphQL over HTTP as the gateway does. */
async function passesAudits(url: string, identity: string): Promise<void> {
  const fetchFn = (input: string, init: RequestInit = {}) =>
    fetch(input, { ...init, headers: { ...init.headers, "x-notifyx-identity": identity } });
  for (const audit of serverAudits({ url, fetchFn })) {
    assert.equal((await audit.fn()).status, "ok", `${url}: ${audit.id} ${audit.name}`);
  }
}
