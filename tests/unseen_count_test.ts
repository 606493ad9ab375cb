/** `unseenCountChanged` over real processes: exact over all devices of a user, at both gateways, whatever happens at once. */

import assert from "node:assert/strict";
import { delay, SECOND } from "../kit/time.ts";
import { graphql, Socket, User } from "./helpers/client.ts";
import { startSystem, type System, until } from "./helpers/system.ts";
import { Random } from "./soak/random.ts";

const COUNTS = "subscription { unseenCountChanged }";
const JOIN = "mutation ($id: ID!) { subscribeToTopic(topicId: $id) { id } }";
const LEAVE = "mutation ($id: ID!) { unsubscribeFromTopic(topicId: $id) { id } }";
const UNSEEN_IDS = "{ notifications(status: SENT, first: 50) { edges { node { id cursor } } } }";
const ACKNOWLEDGE = "mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }";
const ACKNOWLEDGE_ALL = "mutation ($topicId: ID, $upTo: String) { acknowledgeAll(topicId: $topicId, upTo: $upTo) }";
const RETRACT = "mutation ($id: ID!) { retractNotification(id: $id) }";
/** Changes within this time are told as one, in milliseconds. */
const COLLECT_MS = 50;

class Device implements Disposable {
  private constructor(readonly user: User, private readonly socket: Socket, private readonly id: string) {}

  static async open(system: System, user: User, gateway: number): Promise<Device> {
    const socket = await Socket.open(`${system.url("gateway", gateway)}/graphql`, {
      authorization: `Bearer ${user.token}`,
    });
    return new Device(user, socket, socket.subscribe(COUNTS));
  }

  get told(): number[] {
    return this.socket.frames.filter(({ type, id }) => type === "next" && id === this.id)
      .map(({ payload }) => payload.data.unseenCountChanged);
  }

  /** Has heard of nothing that went wrong. */
  check(): void {
    assert.deepEqual(this.socket.frames.filter(({ type }) => type !== "next" && type !== "connection_ack"), []);
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
  }
}

interface Unseen {
  readonly id: string;
  readonly cursor: string;
}

/** The newest of what the user hasn't seen. */
async function newest(user: User): Promise<Unseen[]> {
  return (await user.get(UNSEEN_IDS)).notifications.edges.map(({ node }: { node: Unseen }) => node);
}

async function unseen(user: User): Promise<number> {
  return (await user.get("{ unseenCount }")).unseenCount;
}

/** Waits until each device was told last what its user's count is. */
async function agree(devices: readonly Device[]): Promise<void> {
  const counts = new Map<User, number>();
  for (const { user } of devices) counts.set(user, await unseen(user));
  const isTold = () => devices.every(({ user, told }) => told.at(-1) === counts.get(user));
  await until("all devices agree", isTold, 3 * SECOND).catch(() => {});
  assert.deepEqual(devices.map(({ told }) => told.at(-1)), devices.map(({ user }) => counts.get(user)));
}

Deno.test("unseen count - all devices at both gateways: the present value first, then exactly what is, whatever happens at once", async () => {
  const random = Random.seeded();
  console.log(`seed ${random.seed}: NOTIFYX_TEST_SEED=${random.seed} does the same`);
  await using system = await startSystem({ counts: { gateway: 2 } });
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topics = [await ann.createTopic(), await ann.createTopic(), await ann.createTopic()];
  for (const topicId of topics) for (const user of [bob, eve]) await user.join(topicId);
  const sent: string[] = [];
  const send = async (to: string[] = []) => void sent.push((await ann.send(random.pick(topics), "hello", to)).id);
  for (let nth = 0; nth < 7; nth++) await send();
  await bob.get(ACKNOWLEDGE, { ids: sent.slice(0, 2) });

  using open = new DisposableStack();
  const devices: Device[] = [];
  const add = async (user: User, gateway: number) => {
    const device = open.use(await Device.open(system, user, gateway));
    devices.push(device);
    await until("the present value is told", () => device.told.length > 0);
    return device;
  };
  for (const gateway of [0, 0, 1, 1]) assert.deepEqual((await add(bob, gateway)).told, [5]);
  for (const gateway of [0, 1]) assert.deepEqual((await add(eve, gateway)).told, [7]);

  const began = performance.now();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let nth = 0; nth < 25; nth++) await send();
  }));
  await agree(devices);
  const periods = (performance.now() - began) / COLLECT_MS;
  for (const { told } of devices) assert.ok(told.length <= Math.min(periods + 2, 150), `${told.length} times`);

  for (let round = 0; round < 3; round++) {
    const acts: (() => Promise<unknown>)[] = [
      () => send(),
      () => send(),
      () => send(),
      async () => {
        // Refused where he isn't subscribed just now.
        await ann.ask(
          'mutation ($topicId: ID!, $to: [ID!]) { sendNotification(topicId: $topicId, message: "to bob", to: $to) { id } }',
          { topicId: random.pick(topics), to: [bob.id] },
        );
      },
      () => bob.get(random.pick([JOIN, LEAVE]), { id: random.pick(topics) }),
      () => ann.get(RETRACT, { id: random.pick(sent) }),
      () => bob.get(ACKNOWLEDGE_ALL, { topicId: random.pick([...topics, null]) }),
      async () => {
        // Some of them are eve's alone.
        const some = await newest(random.pick([bob, eve]));
        if (some.length > 0) await bob.ask(ACKNOWLEDGE, { ids: [random.pick(some).id] });
      },
      async () => {
        const some = await newest(eve);
        if (some.length > 0) await eve.get(ACKNOWLEDGE_ALL, { upTo: random.pick(some).cursor });
      },
      async () => {
        // One of them may have been retracted meanwhile.
        await bob.ask(ACKNOWLEDGE, { ids: (await newest(bob)).slice(0, 5).map(({ id }) => id) });
      },
    ];
    await Promise.all(Array.from({ length: 6 }, async () => {
      for (let nth = 0; nth < 20; nth++) await random.pick(acts)();
    }));
    await agree(devices);
    await add(bob, round % 2);
    await agree(devices);
  }
  await ann.get("mutation ($id: ID!) { deleteTopic(topicId: $id) }", { id: topics[0] });
  await agree(devices);
  await delay(300);
  await agree(devices);
  for (const device of devices) device.check();
  for (const { told } of devices) assert.ok(told.every((count, nth) => count !== told[nth - 1]));
});

Deno.test("unseen count - while notifications and PostgreSQL are away it stays as it was, and is right again afterwards", async () => {
  await using system = await startSystem({ durable: true });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using device = await Device.open(system, bob, 0);
  await until("the present value is told", () => device.told.length === 1);
  for (const fault of ["notifications", "PostgreSQL"]) {
    const { id } = await ann.send(topicId, "hello");
    await ann.send(topicId, "hello");
    await agree([device]);
    // It is asked about while it is away.
    const acknowledging = graphql(bob.url, ACKNOWLEDGE, { ids: [id] }, bob.token).catch(() => {});
    if (fault === "notifications") system.signal("SIGKILL", "notifications");
    else system.killPostgres();
    await acknowledging;
    await delay(100);
    await system.allReady();
    await until("it is acknowledged", async () => (await bob.ask(ACKNOWLEDGE, { ids: [id] })).errors === undefined);
    await agree([device]);
  }
  device.check();
  assert.equal(device.told.at(-1), 2);
});
