/**
 * Acknowledgements for creators of topics, one of whom has two and is subscribed to them, who ask for the same at once. In: a running
 * system. Out: what differs from what a query answers to the same viewer, or from what they get when nobody else listens.
 */

import { User } from "../helpers/client.ts";
import type { System } from "../helpers/system.ts";
import { acknowledgementQueryOf, type Asked } from "./asked.ts";
import { valuesOf } from "./paths.ts";
import { arrived, close, type Findings, forEach, signedInAgain, slices, type Viewer, Watching } from "./watching.ts";

const ACKNOWLEDGE = "mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }";
const ACKNOWLEDGE_ALL = "mutation ($id: ID) { acknowledgeAll(topicId: $id) }";

interface Topic {
  readonly id: string;
  readonly creator: User;
  readonly viewers: readonly Viewer[];
}

/** Who acknowledged; `notificationId` is null for all of the topic. */
interface Event {
  readonly by: User;
  readonly notificationId: string | null;
}

/** What was acknowledged in a topic behind a cursor. */
interface Told {
  readonly topic: Topic;
  readonly after: string;
  readonly events: readonly Event[];
}

export class Acknowledged {
  private constructor(
    private readonly system: System,
    private readonly findings: Findings,
    private readonly topics: readonly Topic[],
    private readonly subscriber: User,
  ) {}

  static async begin(system: System, findings: Findings): Promise<Acknowledged> {
    const [ann, bob, carl] = await Promise.all(
      Array.from({ length: 3 }, () => User.register(system)),
    ) as [User, User, User];
    const topics: Topic[] = [];
    for (const [name, creator, first] of [["ann", ann, 0], ["ann", ann, 0], ["bob", bob, 3]] as const) {
      const id = await creator.createTopic();
      for (const user of [ann, carl]) await user.join(id);
      const viewers = [
        { name, user: creator, nth: first },
        { name: `${name}'s other session`, user: await signedInAgain(creator), nth: first + 1 },
      ];
      topics.push({ id, creator, viewers });
    }
    return new Acknowledged(system, findings, topics, carl);
  }

  /** Each is compared before the next thing happens; gives what was told last. */
  async live(asked: readonly Asked[]): Promise<Told[]> {
    let told: Told[] = [];
    for (const some of slices(asked)) {
      const sent = await Promise.all(this.topics.map(({ id, creator }) => creator.send(id, "to be acknowledged")));
      const watching = await Promise.all(this.topics.map((topic, at) => this.#open(topic, some, sent[at]!.cursor!)));
      told = this.topics.map((topic, at) => ({ topic, after: sent[at]!.cursor!, events: [] }));
      const tell = async (at: number, event: Event) => {
        const events = [...told[at]!.events, event];
        told[at] = { ...told[at]!, events };
        await arrived(watching[at]!, () => events.length);
        await this.#compare(watching[at]!, "live", events);
      };
      for (const [at, { id: notificationId }] of sent.entries()) {
        await this.subscriber.get(ACKNOWLEDGE, { ids: [notificationId] });
        await tell(at, { by: this.subscriber, notificationId });
      }
      // One of the creators is subscribed herself: in an acknowledgement a notification's status is the creator's own.
      const { id, creator } = this.topics[1]!;
      await creator.get(ACKNOWLEDGE_ALL, { id });
      told[1] = { ...told[1]!, events: [...told[1]!.events, { by: creator, notificationId: null }] };
      await arrived(watching[1]!, () => 2);
      await close(this.system, watching.flat());
    }
    return told;
  }

  async resumed(asked: readonly Asked[], told: readonly Told[], how: string): Promise<void> {
    for (const some of slices(asked)) {
      const watching = await Promise.all(told.map(({ topic, after }) => this.#open(topic, some, after)));
      for (const [at, { events }] of told.entries()) {
        await arrived(watching[at]!, () => events.length);
        await this.#compare(watching[at]!, how, events);
      }
      await close(this.system, watching.flat());
      for (const [at, one] of told.entries()) await this.#compareAlone(watching[at]!, how, one);
    }
  }

  async #open({ id, viewers }: Topic, asked: readonly Asked[], after: string): Promise<Watching[]> {
    return (await Promise.all(viewers.map((viewer) => Watching.open(viewer, asked, id, after)))).flat();
  }

  async #compare(watching: readonly Watching[], how: string, events: readonly Event[]): Promise<void> {
    await forEach(watching, async (one) => {
      const { asked, viewer: { user, nth } } = one;
      const query = acknowledgementQueryOf(asked);
      if (query === undefined) return;
      const got = one.results.map(({ data, errors }) => [{ ...data?.notificationAcknowledged, key: null }, errors]);
      const alone = await Promise.all(events.map(async ({ by, notificationId }) => {
        // There is none of this id: it is null, as it is in an acknowledgement of all.
        const ids = { by: by.id, notification: notificationId ?? crypto.randomUUID() };
        const { data, errors } = await user.ask(query, { ...ids, ...valuesOf(asked.path, nth) });
        return [{ key: null, ...data }, errors];
      }));
      this.findings.compare(one, how, got, alone);
    });
  }

  /** What only the acknowledgement itself says, once nobody else listens. */
  async #compareAlone(watching: readonly Watching[], how: string, { topic, after, events }: Told): Promise<void> {
    for (const one of watching) {
      if (acknowledgementQueryOf(one.asked) !== undefined) continue;
      const alone = await Watching.open(one.viewer, [one.asked], topic.id, after);
      await arrived(alone, () => events.length);
      this.findings.compare(one, how, one.results, alone[0]!.results);
      await close(this.system, alone);
    }
  }
}
