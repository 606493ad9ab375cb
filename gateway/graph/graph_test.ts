import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { makeExecutableSchema } from "@graphql-tools/schema";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { execute, type ExecutionResult, getNamedType, type GraphQLObjectType, isObjectType, parse } from "graphql";
import { UserError } from "../../kit/errors.ts";
import { type Answer, resultOf } from "../../kit/graphql.ts";
import { Random } from "../../tests/soak/random.ts";
import { Graph } from "./graph.ts";
import { RowCache } from "./row_cache.ts";
import type { Services } from "./run.ts";

const { allStitchingDirectivesTypeDefs } = stitchingDirectives();
const DIRECTIVES =
  `${allStitchingDirectivesTypeDefs} directive @cacheControl(maxAge: Int!) on FIELD_DEFINITION | OBJECT`;
const RUNS = Number(Deno.env.get("NOTIFYX_TEST_RUNS") ?? 1_500);

/** Three services and what they know; of users `topics` knows any, `users` "0" to "5", `counts` two of three of these. */
const PARTS = {
  users: `
    type Query { me: User!  user(id: ID!): User  users(first: Int = 3): [User!]!  _users(ids: [ID!]!): [User]! @merge(keyField: "id")  other: Other }
    type Mutation { rename(id: ID!, name: String!): User! }
    type User @key(selectionSet: "{ id }") { id: ID!  name: String @cacheControl(maxAge: 60)  called(by: String = "all"): String @cacheControl(maxAge: 60)  friends: [User!]!  best: User }
    interface Thing { id: ID! }
    type Other implements Thing { id: ID!  thing: Thing }`,
  counts: `
    type Query { total: Int!  _users(ids: [ID!]!): [User]! @merge(keyField: "id") }
    type Mutation { reset: Int! }
    type User @key(selectionSet: "{ id }") { id: ID!  count(of: String = "all"): Int  rank: Int!  rivals: [[User]!] }`,
  topics: `
    type Query { topics(first: Int = 3): [Topic!]!  topic(id: ID!): Topic  _topics(ids: [ID!]!): [Topic]! @merge(keyField: "id")  _users(ids: [ID!]!): [User]! @merge(keyField: "id") }
    type Topic @key(selectionSet: "{ id }") { id: ID!  title: String!  by: User!  members: [User]!  page: Page! }
    type Page { items: [User!]  next: String }
    type User @key(selectionSet: "{ id }") { id: ID!  owns: [Topic!]! }`,
};
const WHOLE = `
  type Query { me: User!  user(id: ID!): User  users(first: Int = 3): [User!]!  other: Other  total: Int!  topics(first: Int = 3): [Topic!]!  topic(id: ID!): Topic }
  type Mutation { rename(id: ID!, name: String!): User!  reset: Int! }
  type User { id: ID!  name: String  called(by: String = "all"): String  friends: [User!]!  best: User  count(of: String = "all"): Int  rank: Int!  rivals: [[User]!]  owns: [Topic!]! }
  type Topic { id: ID!  title: String!  by: User!  members: [User]!  page: Page! }
  type Page { items: [User!]  next: String }
  interface Thing { id: ID! }
  type Other implements Thing { id: ID!  thing: Thing }`;

type Row = { id: string };
const isKnown = ({ id }: Row, service: string) =>
  service === "topics" || Number(id) <= 5 && (service !== "counts" || Number(id) % 3 !== 0);
const refs = (...ids: number[]) => ids.map((id) => ({ id: String(id) }));
const users = {
  name: ({ id }: Row) => id === "4" ? null : `user ${id}`,
  called: ({ id }: Row, { by }: { by: string }) => `${by} ${id}`,
  friends: ({ id }: Row) => refs(Number(id), (Number(id) + 1) % 6),
  best: ({ id }: Row) => id === "2" ? null : { id: String((Number(id) + 2) % 6) },
};
const counts = {
  count: ({ id }: Row, { of }: { of: string }) => Number(id) * of.length,
  rank: ({ id }: Row) => {
    if (id === "5") throw new UserError("FORBIDDEN", "no rank");
    return Number(id);
  },
  rivals: ({ id }: Row) => [refs(1, 2), [null, { id: "4" }, { id }]],
};
const ofTopics = { owns: ({ id }: Row) => refs(Number(id) % 3) };
const other = { id: "o", thing: { __typename: "Other", id: "p" } };
const topic = {
  title: ({ id }: Row) => `topic ${id}`,
  by: ({ id }: Row) => ({ id: String(Number(id) * 4 + 1) }),
  members: ({ id }: Row) => [...refs(1, 2, 9), null, ...refs(Number(id))],
  page: ({ id }: Row) => ({ items: id === "1" ? null : refs(1, 2), next: "n" }),
};
const byIds = (service: string) => (_: unknown, { ids }: { ids: string[] }) =>
  ids.map((id) => isKnown({ id }, service) ? { id } : null);
const query = {
  me: () => ({ id: "1" }),
  user: (_: unknown, { id }: Row) => isKnown({ id }, "users") ? { id } : null,
  users: (_: unknown, { first }: { first: number }) => refs(0, 1, 2, 3, 4, 5).slice(0, first),
  other: () => other,
  total: () => 7,
  topics: (_: unknown, { first }: { first: number }) => refs(0, 1, 2).slice(0, first),
  topic: (_: unknown, { id }: Row) => ({ id }),
};
const mutation = { rename: (_: unknown, { id }: Row) => ({ id }), reset: () => 0 };

const RESOLVERS = {
  users: {
    Query: { me: query.me, user: query.user, users: query.users, other: query.other, _users: byIds("users") },
    Mutation: { rename: mutation.rename },
    User: users,
  },
  counts: { Query: { total: query.total, _users: byIds("counts") }, Mutation: { reset: mutation.reset }, User: counts },
  topics: {
    Query: { topics: query.topics, topic: query.topic, _topics: byIds("topics"), _users: byIds("topics") },
    Topic: topic,
    User: ofTopics,
  },
};
const parts = new Map(
  Object.entries(PARTS).map(([service, sdl]) => [
    service,
    makeExecutableSchema({
      typeDefs: `${DIRECTIVES}\n${sdl}`,
      resolvers: RESOLVERS[service as keyof typeof RESOLVERS] as never,
      resolverValidationOptions: { requireResolversToMatchSchema: "ignore" },
    }),
  ]),
);

/** Of one who isn't known where it is asked for: null, or an error where it must not be null. */
function known(service: string, fields: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, resolve]) => [name, (row: Row, args: unknown) => {
      if (isKnown(row, service)) return (resolve as (row: Row, args: unknown) => unknown)(row, args);
      if (["friends", "rank", "owns"].includes(name)) throw new UserError("NOT_FOUND", "there is no such User");
      return null;
    }]),
  );
}
const whole = makeExecutableSchema({
  typeDefs: WHOLE,
  resolvers: {
    Query: query,
    Mutation: mutation,
    User: { ...known("users", users), ...known("counts", counts), ...known("topics", ofTopics) },
    Topic: topic,
  },
  resolverValidationOptions: { requireResolversToMatchSchema: "ignore" },
});

class Asked implements Services {
  static readonly #rows = new RowCache();
  readonly rows = Asked.#rows;
  readonly log = getLogger("test");
  readonly asked: string[] = [];
  readonly away = new Set<string>();

  async ask(
    { service, text }: Parameters<Services["ask"]>[0],
    _: unknown,
    variables: Readonly<Record<string, unknown>>,
  ): Promise<Answer> {
    this.asked.push(service);
    if (this.away.has(service)) throw new UserError("SERVICE_UNAVAILABLE", "away");
    const result = await execute({ schema: parts.get(service)!, document: parse(text), variableValues: variables });
    const json = JSON.stringify(result);
    return result.errors === undefined ? json : JSON.parse(json) as ExecutionResult;
  }
}

async function ask(
  source: string,
  variables: Record<string, unknown> = {},
  services = new Asked(),
  token: string | null = "token",
) {
  const graph = new Graph(whole, parts, services);
  const checked = graph.documents.check(source);
  if ("errors" in checked) throw new Error(`${checked.errors[0]!.message}: ${source}`);
  const result = JSON.parse(
    JSON.stringify(resultOf(await checked.execute({ variables }, { token }))),
  ) as ExecutionResult;
  return { ...result, asked: services.asked };
}

Deno.test("graph - any document gives what one schema over all would give", async () => {
  const random = Random.seeded();
  let planned = 0;
  let nulled = 0;
  for (let run = 0; run < RUNS; run++) {
    const source = documentOf(random);
    const variables = { a: random.next() < 0.5, b: random.next() < 0.5, n: below(random, 4), s: "text" };
    const expected = JSON.parse(
      JSON.stringify(await execute({ schema: whole, document: parse(source), variableValues: variables })),
    ) as ExecutionResult;
    const { asked, data, errors } = await ask(source, variables);
    const note = `seed ${random.seed}, run ${run}: ${source} ${JSON.stringify(variables)}`;
    assert.deepEqual(data, expected.data, note);
    // The order of fields as well.
    assert.equal(JSON.stringify(data), JSON.stringify(expected.data), note);
    assert.equal(errors === undefined, expected.errors === undefined, note);
    for (const error of errors ?? []) assert.ok(error.path !== undefined && error.extensions?.code !== undefined, note);
    if (asked.length > 0) planned++;
    if (expected.errors !== undefined) nulled++;
  }
  assert.ok(planned > RUNS * 0.9, `${planned} of ${RUNS} were planned`);
  assert.ok(nulled > RUNS / 20, `${nulled} of ${RUNS} had an error`);
});

Deno.test("graph - one request for each service and level, whatever the lists hold", async () => {
  const { data, asked } = await ask("{ topics(first: 3) { title by { name count } members { name count } } }");
  assert.equal((data as { topics: unknown[] }).topics.length, 3);
  assert.deepEqual(asked.sort(), ["counts", "topics", "users"]);
});

Deno.test("graph - an operation of one service is asked whole, and its text goes out as it came", async () => {
  const services = new Asked();
  const checked = new Graph(whole, parts, services).documents.check(
    "query ($id: ID!) { them: user(id: $id) { id name best { name } } me { ...F } } fragment F on User { name }",
  );
  assert.ok("execute" in checked);
  const answer = await checked.execute({ variables: { id: "1" } }, null);
  assert.equal(
    answer,
    '{"data":{"them":{"id":"1","name":"user 1","best":{"name":"user 3"}},"me":{"name":"user 1"}}}',
  );
  assert.deepEqual(services.asked, ["users"]);
});

Deno.test("graph - a service that is away: its fields are null, each with an error at its path, the rest is there", async () => {
  const services = new Asked();
  services.away.add("counts");
  const { data, errors } = await ask(
    "{ me { name count } topics(first: 1) { by { count rank } title } }",
    {},
    services,
  );
  assert.deepEqual(data, null, "rank must not be null, nor what is around it");
  assert.ok(errors!.every(({ extensions }) => extensions?.code === "SERVICE_UNAVAILABLE"));
  const other = await ask("{ me { name count } user(id: 2) { count rank } }", {}, services);
  assert.deepEqual(other.data, { me: { name: "user 1", count: null }, user: null });
  assert.deepEqual(
    other.errors!.map(({ path }) => path!.join(".")).sort(),
    ["me.count", "user.count", "user.rank"],
  );
  services.away.add("users");
  const nothing = await ask("{ user(id: 2) { name } }", {}, services);
  assert.deepEqual(nothing.data, { user: null });
  assert.deepEqual(nothing.errors!.map(({ path }) => path), [["user"]]);
});

Deno.test("graph - rows whose errors say too little about their place: all others are there, and no row is lost in silence", async () => {
  const query = "{ topics(first: 2) { title by { best { id } } } other { id } }";
  for (const path of [undefined, null, [], ["_k"], ["_k", null], ["_k", 7, "name"], ["_k", "1"], "x", [{}]]) {
    const services = new Asked();
    const given = services.ask.bind(services);
    services.ask = async (request, ...more) => {
      const result = resultOf(await given(request, ...more));
      const [key] = Object.keys(result.data!);
      if (request.service !== "users" || key === "other") return result;
      const rows = result.data![key!] as unknown[];
      const at = Array.isArray(path) ? path.map((one) => one === "_k" ? key : one) : path;
      const errors = [{ message: "secret", path: at }] as unknown as ExecutionResult["errors"];
      return { data: { [key!]: rows.with(1, null) }, errors };
    };
    const { data, errors } = await ask(query, {}, services);
    const note = JSON.stringify(path);
    const by = [{ best: { id: "3" } }, { best: null }];
    assert.deepEqual(data, {
      topics: [0, 1].map((nth) => ({ title: `topic ${nth}`, by: by[nth] })),
      other: { id: "o" },
    }, note);
    assert.deepEqual(errors?.map(({ message, extensions }) => [message, extensions]), [
      ["the service users failed", { code: "INTERNAL" }],
    ], note);
  }
});

Deno.test("graph - mutations go in their order, and end where one that must not be null is", async () => {
  const { asked, data } = await ask(
    'mutation { a: rename(id: 1, name: "") { count } b: reset c: rename(id: 2, name: "") { id } }',
  );
  assert.deepEqual(asked, ["users", "counts", "users", "counts"]);
  assert.deepEqual(data, { a: { count: 3 }, b: 0, c: { id: "2" } });
  const services = new Asked();
  services.away.add("counts");
  const ended = await ask('mutation { a: reset c: rename(id: 2, name: "") { id } }', {}, services);
  assert.deepEqual([ended.asked, ended.data], [["counts"], null]);
});

Deno.test("graph - what a service lets be kept is asked for once, and nothing else", async () => {
  const users = async (source: string) => (await ask(source)).asked.filter((service) => service === "users").length;
  assert.equal(await users("{ topics(first: 2) { by { kept: name } } }"), 1);
  assert.equal(await users("{ topics(first: 2) { by { kept: name } } }"), 0);
  assert.equal(await users("{ topics(first: 3) { by { kept: name } } }"), 1, "the third is not known");
  assert.equal(await users("{ topics(first: 3) { by { kept: name } } }"), 1, "who is unknown is asked for again");
  for (let time = 0; time < 2; time++) {
    assert.equal(await users("{ topics(first: 1) { by { kept: name best { id } } } }"), 1, "best may not be kept");
  }
  // Arguments are part of what is kept; variables are not.
  const called = (by: string) => `{ topics(first: 2) { by { called(by: "${by}") } } }`;
  for (const [by, times] of [["Ann", 1], ["Bob", 1], ["Ann", 0]] as const) {
    const { data, asked } = await ask(called(by));
    assert.equal((data as { topics: [{ by: { called: string } }] }).topics[0].by.called, `${by} 1`);
    assert.equal(asked.filter((service) => service === "users").length, times, by);
  }
  const variable = "query ($by: String) { topics(first: 2) { by { called(by: $by) } } }";
  for (const by of ["Ann", "Bob"]) {
    const { data, asked } = await ask(variable, { by });
    assert.equal((data as { topics: [{ by: { called: string } }] }).topics[0].by.called, `${by} 1`);
    assert.ok(asked.includes("users"));
  }
  const stranger = await ask("{ topics(first: 2) { by { kept: name } } }", {}, new Asked(), null);
  assert.ok(stranger.asked.includes("users"), "whoever isn't signed in may be told less");
});

Deno.test("graph - wrong variables are told before anybody is asked", async () => {
  const { asked, data, errors } = await ask("query ($id: ID!) { user(id: $id) { name } }", { id: {} });
  assert.deepEqual([asked, data], [[], undefined]);
  assert.match(errors![0]!.message, /\$id/);
});

Deno.test("graph - fragments that stand for far more than they say are refused", async () => {
  const fragments = Array.from(
    { length: 12 },
    (_, n) => `fragment F${n} on User { a: best { ...F${n + 1} } b: best { ...F${n + 1} } }`,
  ).join(" ");
  const { asked, errors } = await ask(`{ me { ...F0 } } ${fragments} fragment F12 on User { id }`);
  assert.deepEqual(asked, []);
  assert.equal(errors![0]!.extensions!.code, "BAD_USER_INPUT");
});

const below = (random: Random, limit: number) => Math.floor(random.next() * limit);

/** A document of any fields, aliases, fragments and conditions. */
function documentOf(random: Random): string {
  const fragments: string[] = [];
  const selection = (type: GraphQLObjectType, depth: number): string => {
    const fields = Object.values(type.getFields());
    const chosen = Array.from({ length: 1 + below(random, 3) }, () => {
      if (random.next() < 0.08) return "__typename";
      const { name, type: of, args } = random.pick(fields);
      const named = getNamedType(of);
      if (!isObjectType(named)) {
        if (named.name === "Thing") return `${name} { id ... on Other { id } __typename }`;
        const given = name === "count" && random.next() < 0.5 ? `(of: ${random.next() < 0.5 ? "$s" : '"x"'})` : "";
        return `${alias(name + given)}${name}${given}${condition()}`;
      }
      if (depth === 0) return "__typename";
      const given = args.some((one) => one.name === "id")
        ? `(id: ${below(random, 8)})`
        : args.some((one) => one.name === "first")
        ? `(first: ${random.next() < 0.3 ? "$n" : below(random, 4)})`
        : "";
      // What isn't given a name of its own could be asked for twice with other arguments.
      const as = given === "" ? alias(name) : `${name}${fresh()}: `;
      return `${as}${name}${given}${condition()} ${selection(named, depth - 1)}`;
    });
    const text = chosen.join(" ");
    const way = random.next();
    if (way < 0.15) return `{ ...${condition()} { ${text} } ${random.next() < 0.5 ? "__typename" : ""} }`;
    if (way < 0.3 && type.name !== "Query") {
      const name = `F${fragments.length}`;
      fragments.push(`fragment ${name} on ${type.name} { ${text} }`);
      return `{ ...${name}${condition()} __typename }`;
    }
    return `{ ${text} }`;
  };
  let last = 0;
  const fresh = () => `_${last++}`;
  const alias = (name: string) =>
    random.next() < 0.3 ? `x${name.replace(/\W/g, "")}${fresh()}: ` : name.includes("(") ? `y${fresh()}: ` : "";
  const condition = () => {
    const one = random.next();
    return one < 0.06 ? " @skip(if: $a)" : one < 0.12 ? " @include(if: $b)" : one < 0.14 ? " @skip(if: false)" : "";
  };
  const root = random.next() < 0.1 ? whole.getMutationType()! : whole.getQueryType()!;
  const body = root === whole.getMutationType()
    ? `{ r: rename(id: ${below(random, 6)}, name: $s) ${
      selection(whole.getType("User") as GraphQLObjectType, 2)
    } reset }`
    : selection(root, 4);
  const variables = "($a: Boolean! = true, $b: Boolean!, $n: Int, $s: String!)";
  const used = `u: topics(first: $n) @skip(if: $a) { id @include(if: $b) } v: me { count(of: $s) }`;
  return root === whole.getMutationType()
    ? `mutation ${variables} { ...M } fragment M on Mutation ${body} ${fragments.join(" ")} `.replace(
      "{ ...M }",
      `{ ...M w: reset @skip(if: $a) x: reset @include(if: $b) y: rename(id: 1, name: $s) { ... { topics: owns @skip(if: true) { id } } z: count(of: $s) } }`,
    ).replace("$n: Int, ", "")
    : `query ${variables} ${body.replace(/\}$/, `${used} }`)} ${fragments.join(" ")}`;
}
