/** `deno task identity`, and what it is for: each service speaks GraphQL over HTTP by itself, to who has an identity. */

import { serverAudits } from "graphql-http";
import assert from "node:assert/strict";
import { call } from "../kit/call.ts";
import type { Instance } from "../kit/directory.ts";
import { IDENTITY_HEADER } from "../kit/identity.ts";
import { SECOND } from "../kit/time.ts";
import { User } from "./helpers/client.ts";
import { identity } from "./helpers/identity.ts";
import { SECRET, startSystem } from "./helpers/system.ts";

/** Audits that a subgraph doesn't pass, by service and id, each with its reason. */
const EXCEPTIONS: Record<string, string> = {};

Deno.test("subgraphs - all audits of GraphQL over HTTP pass on each, with an identity; without one it is 401", async () => {
  await using system = await startSystem({ counts: { avatar: 1, mail: 1 } });
  const ann = await User.register(system);
  const { stdout } = await identity(system, ["--user", ann.email]);
  const { body } = await call(`${system.url("discovery")}/api/services`, { limitMs: SECOND });
  const instances = (body as { services: { instances: Instance[] }[] }).services.flatMap(({ instances }) => instances);
  const subgraphs = instances.filter(({ subgraph }) => subgraph);
  const services = subgraphs.map(({ service }) => service);
  for (const service of ["auth", "avatar", "counter", "mail", "notifications"]) {
    assert(services.includes(service), service);
  }

  const failed: string[] = [];
  for (const { service, url } of subgraphs) {
    const audits = serverAudits({
      url: `${url}/graphql`,
      fetchFn: (url: string, init: RequestInit = {}) =>
        fetch(url, { ...init, headers: { ...init.headers as Record<string, string>, [IDENTITY_HEADER]: stdout } }),
    });
    assert.equal(audits.length, 61);
    for (const audit of audits) {
      const { status } = await audit.fn();
      if (status !== "ok" && EXCEPTIONS[`${service} ${audit.id}`] === undefined) {
        failed.push(`${service} ${audit.id} ${audit.name}: ${status}`);
      }
    }
    assert.equal((await ask(url, "{ __typename }", "")).code, "UNAUTHENTICATED", service);
  }
  assert.deepEqual(failed, []);
});

Deno.test("identity - is the user's by any spelling, for a minute, of no session, and what it can't do it says", async (t) => {
  await using system = await startSystem({ counts: { auth: 2 } });
  const ann = await User.register(system);
  const auth = system.url("auth");

  await t.step("it is the user's, and ends none of their sessions", async () => {
    const { code, stdout, stderr } = await identity(system, ["--user", ` ${ann.email.toUpperCase()} `]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual((await ask(auth, "{ me { email } }", stdout)).data, { me: { email: ann.email } });
    assert.equal((await ask(auth, "mutation { logout }", stdout)).code, "UNAUTHENTICATED");
    assert.deepEqual(await ann.get("{ me { email } }"), { me: { email: ann.email } });
    const [row] = await system.database("auth")`select count(*)::int as count from sessions`;
    assert.equal(row!.count, 1);
  });

  await t.step("a node of auth that is frozen is passed over", async () => {
    const { body } = await call(`${system.url("discovery")}/api/services/auth`, { limitMs: SECOND });
    // The one that is asked first.
    const frozen = (body as { instances: Instance[] }).instances[0]!.url === auth ? 0 : 1;
    system.signal("SIGSTOP", "auth", frozen);
    try {
      const { code, stdout } = await identity(system, ["--user", ann.email]);
      assert.equal(code, 0);
      const other = system.url("auth", 1 - frozen);
      assert.deepEqual((await ask(other, "{ me { id } }", stdout)).data, { me: { id: ann.id } });
    } finally {
      system.signal("SIGCONT", "auth", frozen);
    }
  });

  await t.step("what is wrong is said in one line", async () => {
    const wrong: [string[], Record<string, string>, number, RegExp][] = [
      [
        ["--user", "nobody@example.com"],
        {},
        1,
        /of nobody@example\.com: nobody has registered with this e-mail address/,
      ],
      [["--user", "x"], {}, 1, /of x: nobody has registered/],
      [["--user", ann.email], { NOTIFYX_CLUSTER_SECRET: "x".repeat(32) }, 1, /it takes the cluster's secret/],
      [
        ["--user", ann.email],
        { NOTIFYX_CLUSTER_SECRET: "short" },
        78,
        /^NOTIFYX_CLUSTER_SECRET .* at least 32 characters$/,
      ],
      [["--user", ann.email], { NOTIFYX_DISCOVERY_URLS: auth }, 1, /auth is away just now/],
      [["--user", ann.email], { NOTIFYX_DISCOVERY_URLS: "http://127.0.0.1:9" }, 1, /discovery doesn't answer at http:/],
      [[], {}, 2, /it takes --user EMAIL/],
      [["--user"], {}, 2, /--help says what it takes/],
      [[ann.email], {}, 2, /--help says what it takes/],
    ];
    for (const [args, env, wanted, why] of wrong) {
      const { code, stdout, stderr } = await identity(system, args, env);
      assert.equal(code, wanted, `${args} ${stderr}`);
      assert.match(stderr, why);
      assert.deepEqual([stdout, stderr.includes("\n")], ["", false]);
    }
    const help = await identity(system, ["--help"], { NOTIFYX_CLUSTER_SECRET: "" });
    assert.equal(help.code, 0);
    assert.match(help.stdout, /--user EMAIL/);
  });

  await t.step("auth gives one to members alone, and for a token or an address", async () => {
    const exchange = async (body: unknown, secret = SECRET) => {
      const answer = await call(`${auth}/api/identity`, { body, secret, limitMs: SECOND });
      return [answer.status, (answer.body as { code?: string }).code];
    };
    assert.deepEqual(await exchange({ email: ann.email }, "x".repeat(32)), [401, "UNAUTHENTICATED"]);
    assert.deepEqual(await exchange({ email: ann.email, token: ann.token }), [400, "BAD_USER_INPUT"]);
    assert.deepEqual(await exchange({ email: 7 }), [400, "BAD_USER_INPUT"]);
    assert.deepEqual(await exchange({ email: "a\0b@example.com" }), [404, "NOT_FOUND"]);
  });
});

async function ask(url: string, query: string, identity: string) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...identity === "" ? {} : { [IDENTITY_HEADER]: identity } },
    body: JSON.stringify({ query }),
  });
  const { data, errors, code } = await response.json();
  return { data, code: code ?? errors?.[0].extensions.code };
}
