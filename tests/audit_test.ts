/** `deno task audit` and the gateway's console: clean when all is well, and each kind of damage found and named. */

import assert from "node:assert/strict";
import { SECRET, startSystem, type System, until } from "./helpers/system.ts";
import { User } from "./helpers/client.ts";

Deno.test("audit - nothing differs after sends and aborts; what is broken by hand is named, with what to do", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const sent = await Promise.all(Array.from({ length: 20 }, (_, index) => ann.send(topicId, `${index}`)));
  assert.equal(
    await bob.code('mutation ($id: ID!) { sendNotification(topicId: $id, message: "no") { id } }', { id: topicId }),
    "FORBIDDEN",
  );
  assert.deepEqual(await audit(system), { code: 0, lines: ["nothing differs"] });

  const counter = system.database("counter");
  await counter`delete from two_phase_outcomes where transaction_id = ${sent[0]!.id}`;
  await counter`delete from sends where transaction_id = ${sent[0]!.id}`;
  await system.database("gateway")`update decisions set done = true where transaction_id = ${sent[0]!.id}`;
  await system.database(
    "notifications",
  )`insert into two_phase_outcomes (transaction_id, state) values ('never-decided', 'committed')`;

  const { code, lines } = await audit(system);
  const text = lines.join("\n");
  assert.equal(code, 1);
  assert.match(text, new RegExp(`committed and confirmed, unknown to counter: ${sent[0]!.id}`));
  assert.match(text, new RegExp(`20 notifications, counted 19, of user: ${ann.id}`));
  assert.match(text, /committed by notifications, aborted by the decision log: never-decided/);
  assert.match(text, /committed, and there is no notification: never-decided/);
  assert.equal(lines.at(-1), "4 differences");
});

Deno.test("console - the gateway's status page says what each participant knows of a transaction", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const { id } = await ann.send(await ann.createTopic(), "hello");
  await system.database("gateway")`insert into decisions (transaction_id, state, participants, done, owner)
    values ('left-behind', 'committed', '{notifications,counter}', false, null)`;
  const page = async () =>
    (await (await fetch(`${system.url()}/dashboard`)).text()).replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
  assert.match(await page(), new RegExp(`ended here lately.*${id} committed [^<]* committed committed`));
  assert.match(await page(), /not confirmed by all.*left-behind committed .* unknown unknown/);

  const counted = async () => {
    const { transactions } = await ann.get(
      "{ transactions { running committed aborted unconfirmed unconfirmedSince } }",
    );
    const { unconfirmedSince, ...counts } = transactions;
    assert.ok(Date.now() - Date.parse(unconfirmedSince) < 60_000, unconfirmedSince);
    return counts;
  };
  // The mark of done is written a little later.
  await until("hers is done", async () => (await counted()).unconfirmed === 1);
  assert.deepEqual(await counted(), { running: 0, committed: 1, aborted: 0, unconfirmed: 1 });

  const looked = await fetch(`${system.url()}/api/transactions/left-behind`, {
    headers: { authorization: `Bearer ${SECRET}` },
  });
  assert.deepEqual(await looked.json(), { state: "committed" });
});

async function audit(system: System): Promise<{ code: number; lines: string[] }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "audit", "--seconds", "2"],
    cwd: new URL("..", import.meta.url),
    env: { NOTIFYX_DATABASE_URL: system.postgres.url, NOTIFYX_CLUSTER_SECRET: SECRET },
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return { code, lines: new TextDecoder().decode(stdout).trim().split("\n") };
}
