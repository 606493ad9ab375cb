/** GraphQL over HTTP, from the outside: what the gateway refuses of a request itself, and how. */

import { serverAudits } from "graphql-http";
import assert from "node:assert/strict";
import { Answers } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { startSystem } from "./helpers/system.ts";

const ALLOWED = "https://app.example";
const JSON_TYPE = { "content-type": "application/json" };
/** Audits that the gateway doesn't pass, by id, each with its reason. */
const EXCEPTIONS: Record<string, string> = {};

Deno.test("http - a request that can't be taken says why, with its status and code", async (t) => {
  await using system = await startSystem({ env: { NOTIFYX_ALLOWED_ORIGINS: ALLOWED } });
  using answers = new Answers();
  const url = system.graphqlUrl;
  const ann = await User.register(system);
  const bearer = { authorization: `Bearer ${ann.token}` };
  /** The status of an answer and the code in it, whichever form it has. */
  const outcome = async (address: string, init: RequestInit = {}) => {
    const response = await fetch(address, init);
    const body = await response.json();
    return [response.status, body.errors === undefined ? body.code : body.errors[0].extensions.code];
  };
  const post = (body: BodyInit | null, headers: HeadersInit = JSON_TYPE) =>
    outcome(url, { method: "POST", headers, body });
  const get = (params: Record<string, string>, headers: HeadersInit = {}) =>
    outcome(`${url}?${new URLSearchParams(params)}`, { headers });

  await t.step("all audits of GraphQL over HTTP pass", async () => {
    const audits = serverAudits({ url });
    assert.equal(audits.length, 61);
    const failed: string[] = [];
    for (const audit of audits) {
      const { status } = await audit.fn();
      if (status !== "ok" && EXCEPTIONS[audit.id] === undefined) failed.push(`${audit.id} ${audit.name}: ${status}`);
    }
    assert.deepEqual(failed, []);
  });

  await t.step("a body that is no request is BAD_USER_INPUT", async () => {
    const latin1 = Uint8Array.from('{"query":"{ me { id } }","x":"\xe9"}', (character) => character.charCodeAt(0));
    const none = [
      "",
      "{",
      "null",
      "7",
      '"{ me { id } }"',
      "[]",
      '[{"query":"{ __typename }"}]',
      "{}",
      '{"query":null}',
      '{"query":7}',
      '{"query":["{ __typename }"]}',
      '{"query":"{ __typename }","variables":"x"}',
      '{"query":"{ __typename }","variables":[1]}',
      '{"query":"{ __typename }","operationName":1}',
      '{"query":"{ __typename }","extensions":"x"}',
      latin1,
      new Uint8Array([0xff, 0xfe, 0x7b, 0]),
      new Uint8Array(100),
    ];
    for (const body of none) assert.deepEqual(await post(body), [400, "BAD_USER_INPUT"], String(body));
  });

  await t.step("a body over 1 MiB is 413, with its length named or not", async () => {
    const padded = (bytes: number) => '{"query":"{ __typename }","padding":"'.padEnd(bytes - 2, "x") + '"}';
    assert.deepEqual(await post(padded(2 ** 20)), [200, undefined]);
    assert.deepEqual(await post(padded(2 ** 20 + 1)), [413, "BAD_USER_INPUT"]);
    assert.deepEqual(await post(new Blob([padded(2 ** 20)]).stream()), [200, undefined]);
    assert.deepEqual(await post(new Blob([padded(2 ** 20 + 1)]).stream()), [413, "BAD_USER_INPUT"]);
    assert.deepEqual(await post(padded(3 * 2 ** 20), { ...JSON_TYPE, accept: "text/event-stream" }), [
      413,
      "BAD_USER_INPUT",
    ]);
  });

  await t.step("a wrong method is 405 with Allow, a wrong type of body 415, a wrong type of answer 406", async () => {
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"]) {
      const response = await fetch(url, { method, headers: JSON_TYPE });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, POST"], method);
      assert.equal((await response.json()).code, "BAD_USER_INPUT");
    }
    const query = '{"query":"{ __typename }"}';
    for (
      const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "json",
      ]
    ) {
      assert.deepEqual(await post(query, { "content-type": type }), [415, "BAD_USER_INPUT"], type);
    }
    assert.deepEqual(await post(new TextEncoder().encode(query), {}), [415, "BAD_USER_INPUT"]);
    assert.deepEqual(await post(query, { "content-type": "application/json; charset=utf-8" }), [200, undefined]);
    assert.deepEqual(await post(query, { ...JSON_TYPE, accept: "image/png" }), [406, "BAD_USER_INPUT"]);
  });

  await t.step("GET is for queries", async () => {
    assert.deepEqual(await get({ query: "{ me { id } }" }, bearer), [200, undefined]);
    assert.deepEqual(
      await get({ query: "query ($n: Int) { users(first: $n) { edges { cursor } } }", variables: '{"n":1}' }, bearer),
      [200, undefined],
    );
    const mutation = 'mutation { createTopic(name: "by GET") { id } }';
    const refused = await fetch(`${url}?${new URLSearchParams({ query: mutation })}`, { headers: bearer });
    assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "POST"]);
    assert.match(await refused.text(), /"code":"BAD_USER_INPUT"/);
    assert.deepEqual(await get({ query: mutation }, { ...bearer, accept: "text/event-stream" }), [
      405,
      "BAD_USER_INPUT",
    ]);
    assert.deepEqual(await ann.get('{ topic(name: "by GET") { id } }'), { topic: null });
    assert.deepEqual(await get({ query: "{ __typename }", variables: "{" }), [400, "BAD_USER_INPUT"]);
    assert.deepEqual(await get({}), [400, "BAD_USER_INPUT"]);
  });

  await t.step("an unknown route is 404, and a known one names its methods", async () => {
    for (
      const path of [
        "/",
        "/graphql/",
        "/graphql/x",
        "/Graphql",
        "/api",
        "/api/transactions",
        "/.env",
        "/..%2f",
        "/%00",
        "/__proto__",
      ]
    ) {
      assert.deepEqual(await outcome(system.url() + path), [404, "NOT_FOUND"], path);
    }
    assert.deepEqual(await outcome(`${system.url()}/health/ready`, { method: "POST" }), [405, "BAD_USER_INPUT"]);
  });

  await t.step("a page of another origin is refused, but where the settings name it", async () => {
    const own = new URL(url).origin;
    const body = '{"query":"{ __typename }"}';
    for (
      const origin of [
        "https://evil.example",
        "null",
        "x",
        `${own}.evil.example`,
        own.replace(/\d+$/, "1"),
        `${ALLOWED}:8443`,
      ]
    ) {
      assert.deepEqual(await post(body, { ...JSON_TYPE, origin }), [403, "FORBIDDEN"], origin);
      assert.deepEqual(await get({ query: "{ __typename }" }, { origin }), [403, "FORBIDDEN"], origin);
      const events = { ...JSON_TYPE, origin, accept: "text/event-stream" };
      assert.deepEqual(await post('{"query":"subscription { notificationReceived { id } }"}', events), [
        403,
        "FORBIDDEN",
      ]);
    }
    const readableBy = (response: Response) => response.headers.get("access-control-allow-origin");
    const asking = {
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    };
    for (const [origin, readable] of [[own, own], [ALLOWED, ALLOWED], ["https://evil.example", null]] as const) {
      const preflight = await fetch(url, { method: "OPTIONS", headers: { origin, ...asking } });
      const answer = await fetch(url, { method: "POST", headers: { ...JSON_TYPE, origin }, body });
      await answer.body?.cancel();
      assert.deepEqual(
        [preflight.status, readableBy(preflight), readableBy(answer)],
        [204, readable, readable],
        origin,
      );
      assert.equal(preflight.headers.get("access-control-allow-headers"), "authorization,content-type,last-event-id");
    }
    const failed = await fetch(url, {
      method: "POST",
      headers: { ...JSON_TYPE, origin: ALLOWED, authorization: "x" },
      body,
    });
    assert.deepEqual([failed.status, readableBy(failed)], [401, ALLOWED]);
    await failed.body?.cancel();
  });

  assert(await answers.check() > 100);
});
