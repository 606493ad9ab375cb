/** Auth as other processes meet it: its HTTP routes and its GraphQL, over a real PostgreSQL. */

import { hash } from "@node-rs/argon2";
import assert from "node:assert/strict";
import type { Sql } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";
import { encodeCursor } from "../../kit/paging.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { emailKey } from "./credentials.ts";
import { MIGRATIONS } from "./migrations/mod.ts";
import { HASH_PARAMETERS } from "./passwords.ts";
import { addUser, Users } from "./store.ts";
import { LOGIN, PASSWORD, REGISTER, withAuth } from "./testing/auth.ts";

const USERS = `query ($first: Int, $after: String, $search: String) {
  users(first: $first, after: $after, search: $search) { edges { node { id email } cursor } pageInfo { hasNextPage endCursor } }
}`;
const BY_IDS = `query ($ids: [ID!]!) { _users(ids: $ids) { id email } }`;

Deno.test("auth - register, login, me, logout", () =>
  withAuth(async ({ ask, register, identityOf, exchange }) => {
    const { token, expiresAt, user } = await register(" Ann@Example.com ");
    assert.equal(user.email, "Ann@Example.com");
    assert.match(user.createdAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 3_600_000) < 60_000);
    const { login } = await ask(LOGIN, { email: "ann@EXAMPLE.com", password: PASSWORD });
    assert.equal(login.user.id, user.id);
    assert.notEqual(login.token, token);

    const identity = await identityOf(token);
    assert.deepEqual(await ask("{ me { id email } }", {}, identity), { me: { id: user.id, email: "Ann@Example.com" } });
    assert.deepEqual(await ask("mutation { logout }", {}, identity), { logout: true });
    assert.equal((await exchange({ token })).status, 401);
    assert.equal(await ask("mutation { logout }", {}, identity), "UNAUTHENTICATED");
    assert.equal((await exchange({ token: login.token })).status, 200);
  }));

Deno.test("auth - a token is exchanged for an identity, by members of the cluster only", () =>
  withAuth(async ({ exchange, register, sql }) => {
    const { token, user } = await register("ann@example.com");
    const { status, body } = await exchange({ token });
    assert.equal(status, 200);
    assert.equal(body.userId, user.id);
    assert.ok(Date.parse(body.expiresAt) <= Date.now() + 60_000);
    assert.ok(Date.parse(body.sessionExpiresAt) > Date.now() + 3_000_000);
    const anonymous = (await exchange({})).body;
    assert.deepEqual([anonymous.userId, anonymous.sessionExpiresAt, typeof anonymous.identity], [null, null, "string"]);
    for (const wrong of ["", "x", `${token}x`, "\0"]) {
      const refused = await exchange({ token: wrong });
      assert.deepEqual([refused.status, refused.body.code], [401, "UNAUTHENTICATED"]);
    }
    assert.equal((await exchange({ token: 1 })).status, 400);
    assert.equal((await exchange({ token }, "wrong")).status, 401);
    await sql`update sessions set expires_at = now()`;
    assert.equal((await exchange({ token })).status, 401);
  }));

Deno.test("auth - a call without an identity or with a wrong one is 401", () =>
  withAuth(async ({ app }) => {
    for (const headers of [{}, { "x-notifyx-identity": "x" }, { authorization: "Bearer x" }]) {
      const body = JSON.stringify({ query: "{ __typename }" });
      const response = await app.request("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers as Record<string, string> },
        body,
      });
      assert.deepEqual([response.status, (await response.json()).code], [401, "UNAUTHENTICATED"]);
    }
  }));

Deno.test("auth - an anonymous caller is UNAUTHENTICATED for all but register, login, __typename and introspection", () =>
  withAuth(async ({ ask }) => {
    const { user } = await ask(REGISTER, { email: "ann@example.com", password: PASSWORD }).then((data) =>
      data.register
    );
    for (
      const query of [
        "{ me { id } }",
        `{ user(id: "${user.id}") { id } }`,
        "{ users { edges { cursor } } }",
        "{ _users(ids: []) { id } }",
        "mutation { logout }",
        "mutation { requestAddressConfirmation }",
      ]
    ) assert.equal(await ask(query), "UNAUTHENTICATED", query);
    assert.equal((await ask("{ __typename }")).__typename, "Query");
    assert.equal((await ask("{ __schema { queryType { name } } }")).__schema.queryType.name, "Query");
    assert.match((await ask("{ _sdl }"))._sdl, /directive @merge[^]*type User @key/);
  }));

Deno.test("auth - a taken address is CONFLICT whatever its case, and of two at once one succeeds", () =>
  withAuth(async ({ ask, register, sql }) => {
    await register("ann@example.com");
    assert.equal(await ask(REGISTER, { email: "ANN@example.com ", password: PASSWORD }), "CONFLICT");
    const both = await Promise.all(
      ["bob@example.com", "BOB@example.com"].map((email) => register(email).catch(() => null)),
    );
    assert.equal(both.filter((one) => one?.token).length, 1);
    assert.equal((await sql`select 1 from users`).length, 2);
    assert.equal((await sql`select 1 from sessions`).length, 2);
  }));

Deno.test("auth - what is no address or no password is BAD_USER_INPUT, and nobody is registered", () =>
  withAuth(async ({ ask, sql }) => {
    const email = "ann@example.com";
    const wrong = [
      { email: "", password: PASSWORD },
      { email: "ann", password: PASSWORD },
      { email: "ann\0@example.com", password: PASSWORD },
      { email, password: "" },
      { email, password: "1234567" },
      { email, password: "x".repeat(129) },
      { email, password: `${PASSWORD}\0` },
      { email, password: `${PASSWORD}\ud800` },
      { email },
      { email, password: 12_345_678 },
    ];
    for (const variables of wrong) {
      assert.equal(await ask(REGISTER, variables), "BAD_USER_INPUT", JSON.stringify(variables).slice(0, 80));
    }
    assert.equal(await ask(LOGIN, { email: "ann\0@example.com", password: PASSWORD }), "BAD_USER_INPUT");
    assert.equal(await ask(LOGIN, { email, password: "\ud800" }), "BAD_USER_INPUT");
    assert.equal((await sql`select 1 from users`).length, 0);
  }));

Deno.test("auth - an unknown address and a wrong password get the same answer in the same time", () =>
  withAuth(async ({ app, anonymous, register }) => {
    await register("ann@example.com");
    const cases = {
      wrong: { email: "ann@example.com", password: `${PASSWORD}.` },
      unknown: { email: "bob@example.com", password: `${PASSWORD}.` },
      noAddress: { email: "bob", password: `${PASSWORD}.` },
      tooShort: { email: "ann@example.com", password: "" },
    };
    const times = Object.fromEntries(Object.keys(cases).map((name) => [name, [] as number[]]));
    const answers = new Set<string>();
    for (let round = 0; round < 15; round++) {
      for (const [name, variables] of Object.entries(cases)) {
        const began = performance.now();
        const response = await app.request("/graphql", {
          method: "POST",
          headers: { "content-type": "application/json", "x-notifyx-identity": anonymous },
          body: JSON.stringify({ query: LOGIN, variables }),
        });
        answers.add(`${response.status} ${await response.text()}`);
        times[name]!.push(performance.now() - began);
      }
    }
    assert.equal(answers.size, 1);
    assert.match([...answers][0]!, /wrong e-mail address or password.*UNAUTHENTICATED/);
    const medians = Object.values(times).map((all) => all.sort((a, b) => a - b)[7]!);
    assert.ok(Math.max(...medians) < 2 * Math.min(...medians), `medians in milliseconds: ${medians}`);
  }));

Deno.test("auth - a login renews a hash that was made with other parameters", () =>
  withAuth(async ({ ask, sql }) => {
    const email = "ann@example.com";
    const passwordHash = await hash(PASSWORD, { ...HASH_PARAMETERS, memoryCost: 9_728 });
    await addUser(sql, { id: newId(), email, emailKey: emailKey(email), passwordHash });
    const stored = async () => (await sql`select password_hash as hash from users`)[0]!.hash;
    assert.equal(await ask(LOGIN, { email, password: "wrong password" }), "UNAUTHENTICATED");
    assert.equal(await stored(), passwordHash);
    assert.ok((await ask(LOGIN, { email, password: PASSWORD })).login.token);
    assert.match(await stored(), /m=19456,t=2,p=1/);
    assert.ok((await ask(LOGIN, { email, password: PASSWORD })).login.token);
  }));

Deno.test("auth - users by ids come in the order of the ids, null for one that is nobody's", () =>
  withAuth(async ({ ask, signUp }) => {
    const ann = await signUp("ann@example.com");
    const bob = await signUp("bob@example.com");
    const ids = [bob.user.id, newId(), "x", ann.user.id.toUpperCase(), "\0", bob.user.id, ""];
    const { _users } = await ask(BY_IDS, { ids }, ann.identity);
    assert.deepEqual(_users.map((user: { email: string } | null) => user?.email ?? null), [
      "bob@example.com",
      null,
      null,
      "ann@example.com",
      null,
      "bob@example.com",
      null,
    ]);
    assert.equal((await ask(BY_IDS, { ids: Array(1_000).fill("x") }, ann.identity))._users.length, 1_000);
    assert.equal(await ask(BY_IDS, { ids: Array(1_001).fill("x") }, ann.identity), "BAD_USER_INPUT");
    const user = async (id: string) =>
      (await ask("query ($id: ID!) { user(id: $id) { email } }", { id }, ann.identity)).user;
    assert.deepEqual(await user(bob.user.id), { email: "bob@example.com" });
    for (const id of [newId(), "1", "", "\0", "x".repeat(1_000)]) assert.equal(await user(id), null);
  }));

Deno.test("auth - users come page by page, each once, though others register meanwhile", () =>
  withAuth(async ({ ask, signUp, sql }) => {
    const { identity } = await signUp("user0@example.com");
    const add = (email: string) => addUser(sql, { id: newId(), email, emailKey: email, passwordHash: "" });
    for (let at = 1; at <= 6; at++) await add(`user${at}@example.com`);
    const seen: string[] = [];
    for (let after: string | null = null;;) {
      const { users } = await ask(USERS, { first: 3, after }, identity);
      seen.push(...users.edges.map((edge: { node: { email: string } }) => edge.node.email));
      assert.equal(users.pageInfo.endCursor, users.edges.at(-1).cursor);
      if (!users.pageInfo.hasNextPage) break;
      after = users.pageInfo.endCursor;
      if (seen.length === 3) await add("user7@example.com");
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.deepEqual(seen.sort(), Array.from({ length: 8 }, (_, at) => `user${at}@example.com`));
  }));

Deno.test("auth - a search finds what addresses hold, without regard to case and with no wildcards", () =>
  withAuth(async ({ ask, signUp, sql }) => {
    const { identity } = await signUp("Ann_Lee@example.com");
    for (const email of ["bob@example.com", "annxlee@example.org"]) {
      await addUser(sql, { id: newId(), email, emailKey: email, passwordHash: "" });
    }
    const found = async (search: string | null) =>
      (await ask(USERS, { search }, identity)).users.edges.map((edge: { node: { email: string } }) => edge.node.email);
    assert.deepEqual(await found("ANN_"), ["Ann_Lee@example.com"]);
    assert.deepEqual(await found("ann"), ["Ann_Lee@example.com", "annxlee@example.org"]);
    assert.deepEqual(await found("b@"), ["bob@example.com"]);
    assert.deepEqual((await found("example.com")).length, 2);
    for (const nobodys of ["%", "\\", "example.net"]) assert.deepEqual(await found(nobodys), []);
    assert.deepEqual((await found("")).length, 3);
    assert.deepEqual((await found(null)).length, 3);
    // Where PostgreSQL hasn't got it, the same is found.
    await sql`drop extension pg_trgm cascade`;
    const users = await new Users(sql).list({ limit: 10, search: "ann" });
    assert.deepEqual(users.map(({ email }) => email), ["Ann_Lee@example.com", "annxlee@example.org"]);
  }));

/** How many users have registered, in the order of their numbers. */
const MANY = 20_000;

Deno.test(`auth - a search among ${MANY} users reads what it shows, and few more`, () =>
  withDatabase(MIGRATIONS, async (sql) => {
    await sql`insert into users (id, email, email_key, password_hash)
      select ('0190' || lpad(to_hex(n), 8, '0') || '70008000000000000000')::uuid, address, address, '' from (
        select n, 'user' || n || case when n > ${MANY - 5}::int then '@needle.com' else '@example.com' end as address
        from generate_series(1, ${MANY}::int) n) numbered`;
    await sql`analyze users`;
    const rowsRead = async (inside: Sql) => {
      const [read] = await inside<{ rows: number }[]>`
        select (seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_xact_user_tables where relname = 'users'`;
      return read!.rows;
    };
    // Plans are kept for a statement that is asked often.
    for (let again = 0; again < 8; again++) {
      for (const [search, length, most] of [["user", 51, 200], ["example", 51, 200], ["needle", 5, 2_200]] as const) {
        await sql.begin(async (transaction) => {
          const inside = transaction as unknown as Sql;
          const before = await rowsRead(inside);
          assert.equal((await new Users(inside).list({ limit: 51, search })).length, length);
          const rows = await rowsRead(inside) - before;
          assert.ok(rows < most, `${search}: ${rows} rows`);
        });
      }
    }
  }));

Deno.test("auth - a wrong first, cursor or search is BAD_USER_INPUT", () =>
  withAuth(async ({ ask, signUp }) => {
    const { identity } = await signUp("ann@example.com");
    const wrong = [
      ...[0, -1, 1_001, 10_000, 2 ** 40, "1"].map((first) => ({ first })),
      ...["", "x", "\0", encodeCursor(["x"]), encodeCursor([newId(), newId()]), "x".repeat(100_000)].map((after) => ({
        after,
      })),
      ...["\0", "\ud800", "x".repeat(255)].map((search) => ({ search })),
    ];
    for (const variables of wrong) {
      assert.equal(await ask(USERS, variables, identity), "BAD_USER_INPUT", JSON.stringify(variables).slice(0, 80));
    }
    assert.ok((await ask(USERS, { first: 1_000 }, identity)).users);
  }));

Deno.test("auth - the keys are open to all, without their private part", () =>
  withAuth(async ({ app, sql }) => {
    const response = await app.request("/api/keys");
    const text = await response.text();
    const [{ jwk }] = await sql`select private_jwk as jwk from signing_keys` as unknown as [{ jwk: { d: string } }];
    assert.ok(jwk.d.length > 40 && !text.includes(jwk.d));
    assert.equal(JSON.parse(text).keys[0].crv, "Ed25519");
  }));
