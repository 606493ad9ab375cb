/** `deno task demo` as people run it, with the permissions of the task: it fills the system, goes on with what is there, and ends in order. */

import assert from "node:assert/strict";
import { graphql, User } from "./helpers/client.ts";
import { Demo } from "./helpers/demo.ts";
import { startSystem, type System, until } from "./helpers/system.ts";

const SIZE = ["--people", "6", "--topics", "12", "--seed", "7"];

async function signIn(system: System, demo: Demo): Promise<User> {
  const found = demo.find(/^sign in at (\S+) as (\S+) with the password "(.+)": (\d+) unseen/);
  assert.ok(found, demo.lines.join("\n"));
  const [, url, email, password] = found as unknown as [string, string, string, string];
  assert.equal(url, system.graphqlUrl);
  const query =
    "mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { token user { id } } }";
  const { login } = (await graphql(url, query, { email, password })).data;
  return new User(url, login.user.id, email, login.token);
}

Deno.test("demo - on the whole system", async (t) => {
  await using system = await startSystem();
  const at = ["--url", system.url(), ...SIZE];
  let guest!: User;
  let before: unknown;

  const state = async () => {
    const { users, topics } = await guest.get(
      '{ users(search: "demo.example", first: 100) { edges { node { email } } } topics(first: 100) { edges { node { name subscriberCount createdBy { email } } } } }',
    );
    return { users: users.edges.length, topics: topics.edges.map(({ node }: { node: unknown }) => node) };
  };

  await t.step("--once fills it and ends", async () => {
    const demo = new Demo(["--once", ...at]);
    assert.equal(await demo.ended(), 0, demo.lines.join("\n"));
    for (const line of ["6 people, of whom 6 are new", "12 topics, of which 12 are new"]) {
      assert.ok(demo.lines.includes(line), demo.lines.join("\n"));
    }
    guest = await signIn(system, demo);
    const { users, topics } = await state() as {
      users: number;
      topics: { name: string; subscriberCount: number; createdBy: { email: string } }[];
    };
    assert.equal(users, 6);
    const names = topics.map(({ name }) => name);
    for (const name of ["Deploys", "Lunch", "Book club", "社内サッカー部・お知らせ", "مكتبة الحي", "ועד הבית"]) {
      assert.ok(names.includes(name), name);
    }
    assert.ok(topics.some(({ subscriberCount }) => subscriberCount > 2));
    assert.ok(topics.some(({ createdBy }) => createdBy.email === guest.email), "the guest has a topic");
  });

  await t.step("the guest has unseen notifications and seen ones, long, with links, in several scripts", async () => {
    const { unseenCount } = await guest.get("{ unseenCount }");
    const messages = await guest.inbox();
    assert.ok(unseenCount > 0 && unseenCount < messages.length, `${unseenCount} of ${messages.length} unseen`);
    for (
      const kind of [
        /^[^]{600,}$/,
        /https:\/\/\S+/,
        /\p{Script=Arabic}|\p{Script=Hebrew}/u,
        /\p{Script=Han}/u,
        /\p{RGI_Emoji}/v,
      ]
    ) {
      assert.ok(messages.some((message) => kind.test(message)), `${kind}`);
    }
    assert.ok(messages.every((message) => !/[{}]|undefined|NaN/.test(message)), "patterns are filled in");
    const { sentNotifications } = await guest.get(
      "{ sentNotifications { edges { node { recipientCount seenCount } } } }",
    );
    const receipts = sentNotifications.edges.map(({ node }: { node: { seenCount: number } }) => node.seenCount);
    assert.ok(receipts.some((count: number) => count > 0), `${receipts}`);
    before = await state();
  });

  await t.step("a second run goes on with what is there", async () => {
    const demo = new Demo(["--once", ...at]);
    assert.equal(await demo.ended(), 0, demo.lines.join("\n"));
    for (
      const line of [
        "6 people, of whom 0 are new",
        "12 topics, of which 0 are new",
        "0 joins",
        "0 first notifications",
      ]
    ) assert.ok(demo.lines.includes(line), demo.lines.join("\n"));
    assert.deepEqual(await state(), before);
  });

  await t.step("it goes on until SIGINT, leaves the guest's inbox alone, and signs out", async () => {
    const sessions = async () => (await system.database("auth")`select from sessions`).length;
    const [{ unseenCount }, signedIn] = [await guest.get("{ unseenCount }"), await sessions()];
    const seen = async () =>
      (await guest.get("{ notifications(status: SEEN, first: 1000) { edges { cursor } } }")).notifications.edges.length;
    const seenBefore = await seen();
    const demo = new Demo([...at, "--per-minute", "600"]);
    const count = (pattern: RegExp) => demo.lines.filter((line) => pattern.test(line)).length;
    await until("things go on", () => count(/ to all \d+ of /) > 0 && count(/ has seen \d/) >= 25, 60_000);
    await until(
      "the guest gets something",
      async () => (await guest.get("{ unseenCount }")).unseenCount > unseenCount,
      60_000,
    );
    assert.equal(await sessions(), signedIn + 6);
    demo.signal("SIGINT");
    // As a terminal's Ctrl-C comes by way of deno task.
    demo.signal("SIGINT");
    assert.equal(await demo.ended(), 0, demo.lines.join("\n"));
    assert.ok(demo.lines.includes("SIGINT: stopping"));
    assert.equal(await seen(), seenBefore);
    await until("all are signed out", async () => await sessions() === signedIn);
  });

  await t.step("who has such an address already, with another password, is left alone", async () => {
    const demo = new Demo(["--once", ...at], { NOTIFYX_DEMO_PASSWORD: "another one" });
    assert.equal(await demo.ended(), 1);
    assert.match(demo.lines.join("\n"), /^\S+@demo\.example has another password; .+ \(UNAUTHENTICATED\)$/);
  });
});

Deno.test("demo - where a gateway allows little it waits, and can be stopped meanwhile", async () => {
  const env = { NOTIFYX_OPERATIONS_PER_MINUTE_OF_ADDRESS: "40" };
  await using system = await startSystem({ env });
  const demo = new Demo(["--once", "--url", system.url(), ...SIZE]);
  await until("it waits", () => demo.find(/^RATE_LIMITED: going on in \d+ s$/) !== undefined, 30_000);
  demo.signal("SIGINT");
  assert.equal(await demo.ended(), 0, demo.lines.join("\n"));
  assert.deepEqual(demo.lines.slice(-2).map((line) => line.split(":")[0]), ["RATE_LIMITED", "SIGINT"]);
});

Deno.test("demo - what is wrong is one line, and a code", async () => {
  for (
    const [args, code, line] of [
      [["--people", "1"], 2, /^--people is 1; it takes a whole number from 2 to \d+; --help/],
      [["--url", "ftp://x"], 2, /^--url is ftp:\/\/x; it takes a URL/],
      [["--url", "http://notify.example"], 2, /^NOTIFYX_DEMO_PASSWORD has to be set/],
      [["--url", "http://127.0.0.1:1"], 1, /^nothing that speaks GraphQL answers at http:\/\/127\.0\.0\.1:1\/graphql/],
    ] as [string[], number, RegExp][]
  ) {
    const demo = new Demo(args);
    assert.deepEqual([await demo.ended(), demo.lines.length], [code, 1], demo.lines.join("\n"));
    assert.match(demo.lines[0]!, line);
  }
});
