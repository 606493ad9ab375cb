/**
 * Notifications for viewers of every kind, who ask for the same of them at once. In: a running system. Out: what differs from what a query
 * answers to the same viewer.
 */

import { User } from "../helpers/client.ts";
import type { System } from "../helpers/system.ts";
import { type Asked, notificationQueryOf } from "./asked.ts";
import { valuesOf } from "./paths.ts";
import { arrived, close, type Findings, forEach, signedInAgain, slices, type Viewer, Watching } from "./watching.ts";

const INVITE_ONLY =
  "mutation ($id: ID!, $ids: [ID!]!) { updateTopic(topicId: $id, visibility: INVITE) { id } inviteToTopic(topicId: $id, userIds: $ids) { id } }";
const PREFER =
  "mutation ($id: ID!, $preference: MailPreference!) { setMailPreference(topicId: $id, preference: $preference, afterMinutes: 10080) { id } }";
const ACKNOWLEDGE = "mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }";
const ACKNOWLEDGE_ALL = "mutation ($upTo: String) { acknowledgeAll(upTo: $upTo) }";

/** The cursor behind which these were missed, and the notifications. */
interface Missed {
  readonly after: string;
  readonly first: string;
  readonly targeted: string;
  readonly last: string;
}

export class Received {
  private constructor(
    private readonly system: System,
    private readonly findings: Findings,
    private readonly topicId: string,
    private readonly people: Readonly<Record<"ann" | "bob" | "carl" | "dora" | "eve", User>>,
    private readonly viewers: readonly Viewer[],
  ) {}

  static async begin(system: System, findings: Findings): Promise<Received> {
    const [ann, bob, carl, dora, eve] = await Promise.all(
      Array.from({ length: 5 }, () => User.register(system)),
    ) as [User, User, User, User, User];
    const topicId = await ann.createTopic();
    for (const user of [ann, bob, carl, eve]) await user.join(topicId);
    await ann.get(INVITE_ONLY, { id: topicId, ids: [dora.id] });
    await dora.join(topicId);
    await bob.get(PREFER, { id: topicId, preference: "WHEN_AWAY" });
    await carl.get(PREFER, { id: topicId, preference: "DIGEST" });
    const viewers = [
      { name: "its creator", user: ann },
      { name: "bob", user: bob },
      { name: "bob's other session", user: await signedInAgain(bob) },
      { name: "carl", user: carl },
      { name: "dora, who was invited", user: dora },
      { name: "eve, who leaves", user: eve },
      { name: "its creator's other session", user: await signedInAgain(ann) },
    ].map((viewer, nth) => ({ ...viewer, nth }));
    return new Received(system, findings, topicId, { ann, bob, carl, dora, eve }, viewers);
  }

  /** All are live, and nobody has acknowledged anything. */
  async live(asked: readonly Asked[]): Promise<void> {
    const { ann, bob, carl } = this.people;
    for (const some of slices(asked)) {
      const { cursor } = await ann.send(this.topicId, "before them");
      const watching = await this.#open(some, cursor!);
      const counts = new Map<string, number>();
      const send = async (to: readonly User[]) => {
        const { id } = await ann.send(this.topicId, "live", to.map((user) => user.id));
        const ids = (to.length === 0 ? Object.values(this.people) : to).map((user) => user.id);
        for (const userId of ids) counts.set(userId, (counts.get(userId) ?? 0) + 1);
        await arrived(watching, ({ user }) => counts.get(user.id) ?? 0);
        return { id, receivers: watching.filter(({ viewer }) => ids.includes(viewer.user.id)) };
      };
      // With this one they may still be catching up; from then on all are live.
      await send([]);
      for (const to of [[bob, carl], []]) {
        const { id, receivers } = await send(to);
        // How many were sent is counted in the same moment, by another service.
        const settled = receivers.filter(({ asked }) => asked.path.at(-1)!.field.name !== "sentCount");
        await this.#compare(settled, "live", () => [id], (one) => one.results.slice(-1));
      }
      await close(this.system, watching);
    }
  }

  /** What is missed by those who resume. One has acknowledged one of them, one all up to a cursor, and one has left meanwhile. */
  async miss(): Promise<Missed> {
    const { ann, bob, dora, eve } = this.people;
    const { cursor: after } = await ann.send(this.topicId, "before");
    const first = await ann.send(this.topicId, "the first that is missed");
    const targeted = await ann.send(this.topicId, "to some", [bob.id, dora.id]);
    await bob.get(ACKNOWLEDGE, { ids: [first.id] });
    await dora.get(ACKNOWLEDGE_ALL, { upTo: targeted.cursor });
    await eve.leave(this.topicId);
    const last = await ann.send(this.topicId, "the last that is missed");
    return { after: after!, first: first.id, targeted: targeted.id, last: last.id };
  }

  async resumed(asked: readonly Asked[], { after, first, targeted, last }: Missed, how: string): Promise<void> {
    const { bob, dora, eve } = this.people;
    const expected = ({ user: { id } }: Viewer) => [
      first,
      ...id === bob.id || id === dora.id ? [targeted] : [],
      ...id === eve.id ? [] : [last],
    ];
    for (const some of slices(asked)) {
      const watching = await this.#open(some, after);
      await arrived(watching, (viewer) => expected(viewer).length);
      await this.#compare(watching, how, expected, (one) => one.results);
      await close(this.system, watching);
    }
  }

  /** Some name the topic, and some don't: what they get is the same. */
  async #open(asked: readonly Asked[], after: string): Promise<Watching[]> {
    const opened = this.viewers.map((viewer) =>
      Watching.open(viewer, asked, viewer.nth % 2 === 0 ? this.topicId : null, after)
    );
    return (await Promise.all(opened)).flat();
  }

  async #compare(
    watching: readonly Watching[],
    how: string,
    expected: (viewer: Viewer) => string[],
    resultsOf: (one: Watching) => Watching["results"],
  ): Promise<void> {
    await forEach(watching, async (one) => {
      const { asked, viewer: { user, nth } } = one;
      const query = notificationQueryOf(asked);
      const alone = [];
      for (const id of expected(one.viewer)) {
        const { data, errors } = await user.ask(query, { id, ...valuesOf(asked.path, nth) });
        alone.push([data?.one, errors]);
      }
      const got = resultsOf(one).map(({ data, errors }) => [data?.notificationReceived, errors]);
      this.findings.compare(one, how, got, alone);
    });
  }
}
