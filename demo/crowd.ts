/** The people and the topics of the demo, and all that they do: each function is one thing that a user of the API does. */

import { type Api, ApiError } from "./api.ts";
import { inTurns } from "./in_turns.ts";
import type { Theme } from "./texts.ts";

export interface Person {
  readonly email: string;
  readonly id: string;
  token: string;
}

export interface Topic {
  readonly id: string;
  readonly name: string;
  readonly theme: Theme;
  /** Who made it, and sends. */
  readonly owner: Person;
  readonly members: Set<Person>;
}

export interface FoundTopic {
  readonly id: string;
  readonly createdBy: { readonly id: string; readonly email: string | null };
}

interface Session {
  readonly token: string;
  readonly user: { readonly id: string };
}
type Nodes<T> = { readonly edges: readonly { readonly node: T }[] };

/** Topics of a person and notifications of a topic that are looked at, at most. */
const PAGE = 200;

export class Crowd {
  readonly people: Person[] = [];
  readonly topics: Topic[] = [];

  constructor(readonly api: Api, private readonly password: string) {}

  /** Registers them, or signs them in where they are there already; which of the two it was. */
  async enter(email: string): Promise<{ person: Person; isNew: boolean }> {
    try {
      return { person: await this.#session("register", email), isNew: true };
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "CONFLICT") throw error;
      return { person: await this.#session("login", email), isNew: false };
    }
  }

  /** A new session, where the last one has ended. */
  async signInAgain(person: Person): Promise<void> {
    person.token = (await this.#session("login", person.email)).token;
  }

  async leaveAll(): Promise<void> {
    await inTurns(this.people, ({ token }) => this.api.askOnce("mutation { logout }", {}, token));
  }

  /** As `owner` sees it. */
  async find(name: string, owner: Person): Promise<FoundTopic | null> {
    const query = "query ($name: String!) { topic(name: $name) { id createdBy { id email } } }";
    return (await this.#as<{ topic: FoundTopic | null }>(owner, query, { name })).topic;
  }

  /** @throws ApiError `CONFLICT` where there is one of this name */
  async create(name: string, owner: Person, isByInvitation: boolean): Promise<string> {
    const query =
      "mutation ($name: String!, $visibility: TopicVisibility) { createTopic(name: $name, visibility: $visibility) { id } }";
    const visibility = isByInvitation ? "INVITE" : "PUBLIC";
    return (await this.#as<{ createTopic: { id: string } }>(owner, query, { name, visibility })).createTopic.id;
  }

  async subscribedTopics(person: Person): Promise<Set<string>> {
    const query = "query ($first: Int) { topics(subscribed: true, first: $first) { edges { node { id } } } }";
    const { topics } = await this.#as<{ topics: Nodes<{ id: string }> }>(person, query, { first: PAGE });
    return new Set(topics.edges.map(({ node }) => node.id));
  }

  async invite({ id, owner }: Topic, people: readonly Person[]): Promise<void> {
    const query = "mutation ($id: ID!, $userIds: [ID!]!) { inviteToTopic(topicId: $id, userIds: $userIds) { id } }";
    await this.#as(owner, query, { id, userIds: people.map((person) => person.id) });
  }

  async join({ id, members }: Topic, person: Person): Promise<void> {
    await this.#as(person, "mutation ($id: ID!) { subscribeToTopic(topicId: $id) { id } }", { id });
    members.add(person);
  }

  async leave({ id, members }: Topic, person: Person): Promise<void> {
    await this.#as(person, "mutation ($id: ID!) { unsubscribeFromTopic(topicId: $id) { id } }", { id });
    members.delete(person);
  }

  /** To all of its subscribers, or to some. The id of the notification. */
  async send({ id, owner }: Topic, message: string, to: readonly Person[] = []): Promise<string> {
    const query = "mutation ($id: ID!, $message: String!, $to: [ID!], $key: String) " +
      "{ sendNotification(topicId: $id, message: $message, to: $to, idempotencyKey: $key) { id } }";
    const given = { id, message, to: to.map((person) => person.id), key: crypto.randomUUID() };
    return (await this.#as<{ sendNotification: { id: string } }>(owner, query, given)).sendNotification.id;
  }

  async retract(id: string, { owner }: Topic): Promise<void> {
    await this.#as(owner, "mutation ($id: ID!) { retractNotification(id: $id) }", { id });
  }

  /** The newest that they haven't acknowledged. */
  async unseen(person: Person, first: number): Promise<string[]> {
    const query = "query ($first: Int) { notifications(status: SENT, first: $first) { edges { node { id } } } }";
    const { notifications } = await this.#as<{ notifications: Nodes<{ id: string }> }>(person, query, { first });
    return notifications.edges.map(({ node }) => node.id);
  }

  async acknowledge(person: Person, ids: readonly string[]): Promise<void> {
    await this.#as(person, "mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", { ids });
  }

  async unseenCount(person: Person): Promise<number> {
    return (await this.#as<{ unseenCount: number }>(person, "{ unseenCount }")).unseenCount;
  }

  /** Where a web client runs, if one does. */
  async client(person: Person): Promise<string | undefined> {
    const query = "{ services { name instances { url } } }";
    const { services } = await this.#as<{ services: { name: string; instances: { url: string }[] }[] }>(person, query);
    return services.find(({ name }) => name === "client")?.instances[0]?.url;
  }

  /** How many notifications all of them have sent, ever. */
  async sentCount(): Promise<number> {
    const counts = await inTurns(
      this.people,
      (person) => this.#as<{ me: { sentCount: number | null } }>(person, "{ me { sentCount } }"),
    );
    return counts.reduce((sum, { me }) => sum + (me.sentCount ?? 0), 0);
  }

  async #as<T>(person: Person, query: string, variables: unknown = {}): Promise<T> {
    try {
      return await this.api.ask<T>(query, variables, person.token);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "UNAUTHENTICATED") throw error;
      await this.signInAgain(person);
      return await this.api.ask<T>(query, variables, person.token);
    }
  }

  async #session(how: "register" | "login", email: string): Promise<Person> {
    const query =
      `mutation ($email: String!, $password: String!) { session: ${how}(email: $email, password: $password) { token user { id } } }`;
    try {
      const { session } = await this.api.ask<{ session: Session }>(query, { email, password: this.password });
      return { email, id: session.user.id, token: session.token };
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "UNAUTHENTICATED") throw error;
      throw new ApiError(
        error.code,
        `${email} has another password; NOTIFYX_DEMO_PASSWORD says which, or --seed N makes other people`,
      );
    }
  }
}
