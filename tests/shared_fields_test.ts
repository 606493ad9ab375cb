/** Nobody gets another's data, with any field of the graph: what viewers share, and what each of them gets of it. */

import { getLogger } from "@logtape/logtape";
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  type GraphQLField,
  type GraphQLSchema,
  isEnumType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  parse,
} from "graphql";
import assert from "node:assert/strict";
import { Executions } from "../gateway/delivery/execution.ts";
import { SHARED_SDL, sharedSchema } from "../gateway/delivery/shared_schema.ts";
import { Acknowledged } from "./fields/acknowledged.ts";
import { type Asked, everythingBelow, subscriptionOf } from "./fields/asked.ts";
import { nameOf } from "./fields/paths.ts";
import { Received } from "./fields/received.ts";
import { Findings } from "./fields/watching.ts";
import { graphql } from "./helpers/client.ts";
import { LONG } from "./helpers/long.ts";
import { type Mistake, Mutant } from "./helpers/mutant.ts";
import { startSystem, type System, until } from "./helpers/system.ts";

/** Each viewer by themselves is not what is tested here, so nobody is limited. */
const ENV = { NOTIFYX_LIMITS: "off" };

Deno.test("shared fields - each viewer gets of every field what they get alone", async (t) => {
  await using system = await startSystem({ counts: { avatar: 1 }, env: ENV });
  const graph = await graphOf(system);
  const received = everythingBelow("notificationReceived", graph);
  const acknowledged = everythingBelow("notificationAcknowledged", graph);

  await t.step("what is shared is in the graph, each with its very type", () => {
    for (const type of Object.values(buildSchema(SHARED_SDL).getTypeMap())) {
      if (type.name.startsWith("__") || type.name === "Query" || isSpecifiedScalarType(type)) continue;
      const found = graph.getType(type.name);
      assert.equal(found?.constructor, type.constructor, type.name);
      if (isScalarType(type)) continue;
      if (isEnumType(type) && isEnumType(found)) {
        assert.deepEqual(found.getValues().map(({ name }) => name), type.getValues().map(({ name }) => name));
        continue;
      }
      assert.ok(isObjectType(type) && isObjectType(found), type.name);
      for (const [name, field] of Object.entries(type.getFields())) {
        assert.equal(textOf(found.getFields()[name]), textOf(field), `${type.name}.${name}`);
      }
    }
  });

  await t.step("what only the graph has is executed for each viewer", () => {
    const executions = new Executions(sharedSchema({} as never, ""), () => assert.fail(), getLogger("test"));
    const shared = buildSchema(SHARED_SDL);
    const personal = new Set<string>();
    for (const asked of [...received, ...acknowledged]) {
      const isKnown = asked.path.every(({ parent, field }) => {
        const type = shared.getType(parent.name);
        return isObjectType(type) && type.getFields()[field.name] !== undefined;
      });
      assert.equal(executions.isShared(parse(subscriptionOf(asked))), isKnown, nameOf(asked.path));
      if (!isKnown) personal.add(`${asked.root}.${nameOf(asked.path)}`);
    }
    console.log(`executed for each viewer:\n  ${[...personal].join("\n  ")}`);
    const known = [
      "topic.subscribed",
      "recipientCount",
      "seenCount",
      "topic.subscribers.edges.node.email",
      "topic.mailPreference.preference",
    ];
    for (const path of known) assert.ok(personal.has(`notificationReceived.${path}`), path);
  });

  await t.step(
    "live, from the window and from the database, all of it is what a query says to the same viewer",
    async () => {
      const [some, others] = [oneWayToEach(received), oneWayToEach(acknowledged)];
      const { differences, compared } = await compare(system, some, others);
      assert.deepEqual(differences, []);
      // Seven viewers in each of three ways, but for those to whom a notification wasn't sent.
      assert.ok(compared > 15 * some.length + 12 * others.length, `${compared} comparisons`);
    },
  );
});

/** Each with what has to be noticed of it. */
type Noticed = Mistake & { readonly noticedBy: string };

/** A personal field as one that is the same for all, and results that are kept for all although they are not. */
const IN_WHAT_IS_SHARED: readonly Noticed[] = [
  {
    file: "gateway/delivery/shared_schema.ts",
    of: "id: ID!  name: String!",
    instead: "subscribed: Boolean!  id: ID!  name: String!",
    noticedBy: "eve, who leaves: notificationReceived.topic.subscribed, plain",
  },
  {
    // Is not subscribed whoever receives it?
    file: "gateway/delivery/shared_schema.ts",
    of: "      Topic: {\n",
    instead: "      Topic: {\n        subscribed: () => true,\n",
    noticedBy: "eve, who leaves: notificationReceived.topic.subscribed, fragments",
  },
  {
    file: "gateway/delivery/shared_schema.ts",
    of: "    createdAt: DateTime!\n  }\n",
    instead: `    createdAt: DateTime!  mailPreference: TopicMailPreference!
  }
  enum MailPreference { NEVER WHEN_AWAY ALWAYS DIGEST }
  enum DigestEvery { HOUR DAY }
  type TopicMailPreference { preference: MailPreference!  every: DigestEvery!  afterMinutes: Int! }\n`,
    noticedBy: "carl: notificationReceived.topic.mailPreference.preference, plain",
  },
  {
    file: "gateway/delivery/shared_schema.ts",
    of: "cursor: String  status: NotificationStatus!",
    instead: "cursor: String  status: NotificationStatus!  recipientCount: Int",
    noticedBy: "carl: notificationReceived.recipientCount, plain",
  },
  {
    file: "gateway/delivery/roots.ts",
    of: '    status: seen ? "SEEN" : "SENT",\n',
    instead: '    status: seen ? "SEEN" : "SENT",\n    recipientCount: event.recipientCount,\n',
    noticedBy: "bob: notificationReceived.recipientCount, fragments",
  },
  {
    file: "gateway/delivery/sources.ts",
    of: "return { key: `${event.position} ${seen}`",
    instead: "return { key: `${event.position}`",
    noticedBy: "notificationReceived.status, plain, from the window",
  },
  {
    file: "gateway/delivery/sources.ts",
    of: "return { key: `${position} ${seen}`",
    instead: "return { key: `${position}`",
    noticedBy: "notificationReceived.status, plain, from the database",
  },
];
const IN_WHO_SHARES: readonly Noticed[] = [
  {
    file: "gateway/delivery/subscriptions.ts",
    of: "const whose = isShared ? ofUser : caller.token;",
    instead: "const whose = null;",
    noticedBy: "notificationReceived.seenCount, plain, live",
  },
  {
    file: "gateway/delivery/subscriptions.ts",
    of: "const values = variables.map((name) => Object.hasOwn(coerced, name) ? [coerced[name]] : []);",
    instead: "const values = variables.length;",
    noticedBy: "notificationReceived.message, variables",
  },
];

for (const [where, mistakes] of [["what is shared", IN_WHAT_IS_SHARED], ["who shares it", IN_WHO_SHARES]] as const) {
  Deno.test(`shared fields - mistakes in ${where} are noticed`, async () => {
    await using mutant = await Mutant.of(mistakes);
    await using system = await startSystem({ env: ENV, checkout: mutant.folder });
    const graph = await graphOf(system);
    const received = everythingBelow("notificationReceived", graph).filter(({ root, path }) =>
      mistakes.some(({ noticedBy }) => noticedBy.includes(`${root}.${nameOf(path)},`))
    );
    const { differences } = await compare(system, received, []);
    for (const { noticedBy } of mistakes) {
      assert.ok(differences.some((one) => one.includes(noticedBy)), `${noticedBy} in ${differences.join("\n")}`);
    }
  });
}

async function compare(system: System, received: readonly Asked[], acknowledged: readonly Asked[]): Promise<Findings> {
  const findings = new Findings();
  const notifications = await Received.begin(system, findings);
  const acknowledgements = await Acknowledged.begin(system, findings);
  await notifications.live(received);
  const told = await acknowledgements.live(acknowledged);
  const missed = await notifications.miss();
  await notifications.resumed(received, missed, "from the window");
  await acknowledgements.resumed(acknowledged, told, "from the window");
  assert.equal(await resumes(system, "database"), 0);
  const { process } = system.node("gateway");
  const { starts } = process;
  system.signal("SIGKILL", "gateway");
  await until("the gateway is started again", () => process.starts > starts);
  await system.allReady();
  await notifications.resumed(received, missed, "from the database");
  await acknowledgements.resumed(acknowledged, told, "from the database");
  assert.equal(await resumes(system, "window"), 0);
  return findings;
}

/** Of the ways to a field of a type, in each style, the first; `deno task test:long` takes all. */
function oneWayToEach(asked: readonly Asked[]): readonly Asked[] {
  if (LONG) return asked;
  const ways = Map.groupBy(asked, ({ path, style }) => {
    const { parent, field } = path.at(-1)!;
    return `${parent.name}.${field.name} ${style}`;
  });
  return [...ways.values()].map(([first]) => first!);
}

async function graphOf(system: System): Promise<GraphQLSchema> {
  return buildClientSchema((await graphql(system.graphqlUrl, getIntrospectionQuery())).data);
}

/** How many subscriptions have begun behind a cursor, by where what they missed came from. */
async function resumes(system: System, from: string): Promise<number> {
  const text = await (await fetch(`${system.url()}/metrics`)).text();
  return Number(new RegExp(`^notifyx_delivery_resumes_total{from="${from}"} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

function textOf(field: GraphQLField<unknown, unknown> | undefined): string | undefined {
  return field && `(${field.args.map(({ name, type }) => `${name}: ${type}`)}): ${field.type}`;
}
