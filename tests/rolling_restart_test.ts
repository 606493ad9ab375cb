/**
 * Every process but PostgreSQL is restarted, one after the other and twice, under queries, sends and subscriptions: none of them notices.
 * NOTIFYX_TEST_ROLLING=whole takes 200 queries a second and 500 subscriptions.
 */

import assert from "node:assert/strict";
import type { ServiceName } from "../kit/ports.ts";
import { delay, SECOND } from "../kit/time.ts";
import { type Client, LibraryClient, openSocket, RawClient } from "./delivery/clients.ts";
import { Socket, User } from "./helpers/client.ts";
import { insist } from "./helpers/keyed_send.ts";
import { Publisher } from "./helpers/publisher.ts";
import { QueryLoad } from "./helpers/query_load.ts";
import { metric, startSystem, type System, until } from "./helpers/system.ts";
import { Random } from "./soak/random.ts";

const isWhole = Deno.env.get("NOTIFYX_TEST_ROLLING") === "whole";
const QUERIES_PER_SECOND = isWhole ? 200 : 30;
const SUBSCRIPTIONS = isWhole ? 500 : 40;
const ROUNDS = 2;
const COUNTS = { gateway: 2, discovery: 2, auth: 2, notifications: 2, counter: 2 };
/** Between two looks whether a gateway is ready, in milliseconds. */
const LOOK_MS = 50;
/** How long a process may take to be back, in milliseconds. */
const BACK_MS = 30 * SECOND;

Deno.test("rolling restart - of every service, twice: no query fails, no subscription ends, nothing is missed", async () => {
  await using system = await startSystem({ counts: COUNTS, env: { NOTIFYX_LIMITS: "off" } });
  const { ann, bob, topicId } = await people(system);
  const query = "subscription { notificationReceived { id message from { email } topic { name } } }";
  const subscriptions = await Promise.all(
    Array.from({ length: SUBSCRIPTIONS }, async (_, index) => {
      const socket = await Socket.open(both(system)[index % 2]!, { authorization: `Bearer ${bob.token}` });
      // Half of them are executed for each viewer.
      return { socket, id: socket.subscribe(index % 4 < 2 ? query : query.replace("email", "email sentCount")) };
    }),
  );
  await listeningOnBoth(system, SUBSCRIPTIONS);
  await using load = queriesOf(bob, topicId, () => both(system));
  await using publisher = new Publisher(ann, topicId, 1);
  await eachInTurn(system, ["auth", "notifications", "counter", "discovery"], publisher);
  await publisher[Symbol.asyncDispose]();
  await load[Symbol.asyncDispose]();
  assert.deepEqual(load.failed, []);
  assert.deepEqual(publisher.failed, []);
  for (const { socket, id } of subscriptions) {
    await until("all have come", () => socket.received(id).length >= publisher.sent.length);
    assert.deepEqual(socket.received(id).map((one) => one.id), publisher.sent);
    const others = socket.frames.filter(({ type, payload }) =>
      type === "next" ? payload.errors : type !== "connection_ack"
    );
    assert.deepEqual(others, []);
    assert.equal(socket.raw.readyState, WebSocket.OPEN);
    socket[Symbol.dispose]();
  }
});

Deno.test("rolling restart - of two gateways, twice: clients sent away with 1012 come back to the other and miss nothing", async () => {
  await using system = await startSystem({ counts: COUNTS, env: { NOTIFYX_LIMITS: "off" } });
  const { ann, bob, topicId } = await people(system);
  const random = new Random(1);
  const clients: Client[] = Array.from({ length: SUBSCRIPTIONS }, (_, index) => {
    const options = {
      urls: bases(system),
      userId: bob.id,
      token: bob.token,
      topicId: index % 3 === 0 ? topicId : null,
      random,
    };
    return index % 2 === 0 ? new LibraryClient(options) : new RawClient(options, openSocket);
  });
  const running = clients.map((client) => client.run());
  await listeningOnBoth(system, SUBSCRIPTIONS);
  await using balancing = new ReadyGateways(bases(system));
  await using load = queriesOf(bob, topicId, () => balancing.ready.map((url) => `${url}/graphql`));
  await using publisher = new InsistentSender(bases(system), ann, topicId);
  await eachInTurn(system, ["gateway"], publisher);
  await publisher[Symbol.asyncDispose]();
  await load[Symbol.asyncDispose]();
  for (const client of clients) {
    await until("all have come", () => client.received.length >= publisher.sent.length, BACK_MS);
  }
  for (const client of clients) client.stop();
  await Promise.all(running);
  for (const client of clients) {
    assert.deepEqual(client.received, publisher.sent);
    assert.deepEqual(client.wrong, []);
    assert.ok(client.resumed > 0, "it never came back");
  }
  assert.deepEqual(load.failed, []);
});

async function people(system: System) {
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  return { ann, bob, topicId };
}

function bases(system: System): string[] {
  return [0, 1].map((index) => system.url("gateway", index));
}

function both(system: System): string[] {
  return bases(system).map((url) => `${url}/graphql`);
}

function queriesOf({ token }: User, topicId: string, urls: () => string[]): QueryLoad {
  const queries = [
    "{ me { email sentCount } }",
    "{ unseenCount }",
    "{ topics { edges { node { name createdBy { email sentCount } } } } }",
    "{ notifications(first: 5) { edges { node { message from { email } topic { name } } } } }",
    // What is not asked again elsewhere when it fails.
    `mutation { subscribeToTopic(topicId: "${topicId}") { id } }`,
  ];
  return new QueryLoad({ urls, token, queries, perSecond: QUERIES_PER_SECOND });
}

/** Stops each node of these kinds politely, and waits until it is back. */
async function eachInTurn(system: System, kinds: readonly ServiceName[], sender: Sender): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of kinds) {
      for (const index of [0, 1]) {
        const { process } = system.node(kind, index);
        const { starts } = process;
        await sender.sends(3, BACK_MS);
        system.signal("SIGTERM", kind, index);
        await until(`${kind} ${index} is back`, () => process.starts > starts && process.state === "ready", BACK_MS);
        await system.allReady();
      }
    }
  }
  await sender.sends(3, BACK_MS);
}

type Sender = Pick<Publisher, "sends">;

/** Sends one after the other, each at whichever gateway answers, with a key, so that it is sent once. */
class InsistentSender implements AsyncDisposable, Sender {
  readonly sent: string[] = [];
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(urls: readonly string[], { token }: User, topicId: string) {
    const run = async () => {
      while (!this.#stopped) {
        const told = await insist(urls, { token, topicId, message: "one of many", key: crypto.randomUUID() }, BACK_MS);
        assert.ok("id" in told, JSON.stringify(told));
        this.sent.push(told.id);
      }
    };
    this.#running = run();
  }

  async sends(count: number, limitMs: number): Promise<void> {
    const enough = this.sent.length + count;
    await until(`${count} more are sent`, () => this.sent.length >= enough, limitMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

/** As whatever stands before several gateways: it asks those that lately said that they are ready. */
class ReadyGateways implements AsyncDisposable {
  ready: readonly string[];
  readonly #over = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(urls: readonly string[]) {
    this.ready = urls;
    this.#running = Promise.all(urls.map((url) => this.#follow(url)));
  }

  async #follow(url: string): Promise<void> {
    while (!this.#over.signal.aborted) {
      const isReady = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(SECOND) }).then(
        async (response) => (await response.body?.cancel(), response.ok),
        // One that is only slow stays what it was.
        (error) => error.name === "TimeoutError" && this.ready.includes(url),
      );
      const others = this.ready.filter((one) => one !== url);
      if (isReady) this.ready = [...others, url];
      else if (others.length > 0) this.ready = others;
      await delay(LOOK_MS, this.#over.signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#running;
  }
}

async function listeningOnBoth(system: System, count: number): Promise<void> {
  await until(`${count} subscriptions`, async () => {
    const [one, other] = await Promise.all(bases(system).map((url) => metric(url, "notifyx_delivery_listeners")));
    return one! + other! === count;
  }, BACK_MS);
}
