/**
 * What goes on while boards are looked at: the demo at the first gateway, people who listen at each gateway, one who sends at the last, one
 * who is sent mail, pictures, and mistakes that people make. In: a running system. It goes on until it is disposed of.
 */

import { delay } from "../../kit/time.ts";
import { graphql, User } from "../helpers/client.ts";
import { Demo } from "../helpers/demo.ts";
import type { System } from "../helpers/system.ts";

const PAUSE_MS = 300;
/** At each gateway. */
const LISTENERS = 5;
const RECEIVE = `subscription ($after: String) {
  notificationReceived(after: $after) { id message cursor topic { name } from { email avatarUrl(size: 64) } }
}`;
const MAIL_ME =
  "mutation ($id: ID!) { setMailPreference(topicId: $id, preference: ALWAYS) { mailPreference { preference } } }";
const ADDRESS = "query ($id: ID!) { user(id: $id) { avatarUrl(size: 48) } }";

export class Load implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #demo: Demo;
  readonly #running: Promise<void>;

  /** `gateways` is how many there are. */
  constructor(private readonly system: System, private readonly gateways: number) {
    this.#demo = new Demo(["--url", system.url(), "--people", "6", "--topics", "6", "--per-minute", "300"]);
    this.#running = this.#goOn();
    // It is awaited in the end.
    this.#running.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#demo.signal("SIGINT");
    await this.#demo.ended();
    await this.#running;
  }

  async #goOn(): Promise<void> {
    const [ann, bob] = await Promise.all([User.register(this.system), User.register(this.system)]);
    const topic = await ann.createTopic("Boards");
    await bob.join(topic);
    await bob.get(MAIL_ME, { id: topic });
    const at = (user: User, nth: number) =>
      new User(`${this.system.url("gateway", nth)}/graphql`, user.id, user.email, user.token);
    const sockets = await Promise.all(
      Array.from({ length: this.gateways * LISTENERS }, (_, nth) => at(bob, nth % this.gateways).connect()),
    );
    try {
      for (const socket of sockets) socket.subscribe(RECEIVE);
      const sender = at(ann, this.gateways - 1);
      for (let nth = 0; !this.#stop.signal.aborted; nth++) {
        const { cursor } = await sender.send(topic, `number ${nth}`);
        await this.#aside(bob, nth, cursor);
        await delay(PAUSE_MS, this.#stop.signal);
      }
    } finally {
      for (const socket of sockets) socket[Symbol.dispose]();
    }
  }

  /** What is done beside each send. */
  async #aside(bob: User, nth: number, cursor: string | null): Promise<void> {
    const { avatarUrl } = (await bob.get(ADDRESS, { id: bob.id })).user;
    const picture = new URL(avatarUrl);
    picture.searchParams.set("size", String(32 + nth % 200));
    await (await fetch(picture, { signal: AbortSignal.timeout(5_000) })).body?.cancel();
    await bob.ask("mutation { acknowledgeAll }");
    if (nth % 5 === 0 && cursor !== null) {
      using socket = await bob.connect();
      const id = socket.subscribe(RECEIVE, { after: cursor });
      await delay(50);
      socket.send({ id, type: "complete" });
    }
    if (nth % 10 === 0) {
      const login = 'mutation ($email: String!) { login(email: $email, password: "not the right one") { token } }';
      await graphql(this.system.graphqlUrl, login, { email: bob.email });
      await bob.ask('mutation { retractNotification(id: "1") }');
    }
  }
}
