/** A user of the system, from the outside: GraphQL over HTTP and over a raw WebSocket. */

import type { System } from "./system.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- whatever shape the test asked for
  readonly data: any;
  // deno-lint-ignore no-explicit-any
  readonly errors?: { message: string; path?: (string | number)[]; extensions: Record<string, any> }[];
}

export async function graphql(
  url: string,
  query: string,
  variables: unknown = {},
  token?: string,
  limitMs = 15_000,
): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...token === undefined ? {} : { authorization: `Bearer ${token}` } },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(limitMs),
  });
  const { data, errors } = await response.json();
  return { status: response.status, headers: response.headers, data, errors };
}

let users = 0;

function newAddress(): string {
  return `user${++users}-${crypto.randomUUID().slice(0, 8)}@example.com`;
}

export class User {
  constructor(readonly url: string, readonly id: string, readonly email: string, readonly token: string) {}

  /** Registers a user, of a new address where none is given. */
  static async register(system: Pick<System, "graphqlUrl">, email = newAddress()): Promise<User> {
    const { data, errors } = await graphql(
      system.graphqlUrl,
      'mutation ($email: String!) { register(email: $email, password: "correct horse") { token user { id } } }',
      { email },
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return new User(system.graphqlUrl, data.register.user.id, email, data.register.token);
  }

  ask(query: string, variables?: unknown): Promise<Answer> {
    return graphql(this.url, query, variables, this.token);
  }

  /** The data of an operation that has to succeed. */
  // deno-lint-ignore no-explicit-any -- whatever shape the test asked for
  async get(query: string, variables?: unknown): Promise<any> {
    const { data, errors } = await this.ask(query, variables);
    if (errors) throw new Error(`${query}: ${JSON.stringify(errors)}`);
    return data;
  }

  /** The code of the first error; undefined where there is none. */
  async code(query: string, variables?: unknown): Promise<string | undefined> {
    return (await this.ask(query, variables)).errors?.[0]?.extensions.code;
  }

  /** The id of a new topic. */
  async createTopic(name = `topic ${crypto.randomUUID()}`): Promise<string> {
    return (await this.get("mutation ($name: String!) { createTopic(name: $name) { id } }", { name })).createTopic.id;
  }

  async join(topicId: string): Promise<void> {
    await this.get("mutation ($id: ID!) { subscribeToTopic(topicId: $id) { id } }", { id: topicId });
  }

  async leave(topicId: string): Promise<void> {
    await this.get("mutation ($id: ID!) { unsubscribeFromTopic(topicId: $id) { id } }", { id: topicId });
  }

  /** The answer of sendNotification: `{ id cursor }`. */
  async send(topicId: string, message: string, to: string[] = []): Promise<{ id: string; cursor: string | null }> {
    const query =
      "mutation ($topicId: ID!, $message: String!, $to: [ID!]) { sendNotification(topicId: $topicId, message: $message, to: $to) { id cursor } }";
    return (await this.get(query, { topicId, message, to })).sendNotification;
  }

  /** The messages of the inbox, newest first. */
  async inbox(): Promise<string[]> {
    const { notifications } = await this.get("{ notifications(first: 1000) { edges { node { message } } } }");
    return notifications.edges.map((edge: { node: { message: string } }) => edge.node.message);
  }

  /** An open socket that has sent connection_init and has its acknowledgement. */
  connect(): Promise<Socket> {
    return Socket.open(this.url, { authorization: `Bearer ${this.token}` });
  }
}

// deno-lint-ignore no-explicit-any -- what comes depends on what was asked
export type Frame = { type: string; id?: string; payload?: any };

/** A raw graphql-transport-ws socket that keeps every frame it gets. */
export class Socket implements Disposable {
  readonly frames: Frame[] = [];
  /** Resolves with the close event. */
  readonly closed: Promise<CloseEvent>;
  #wake: () => void = () => {};
  #ids = 0;

  private constructor(readonly raw: WebSocket) {
    raw.addEventListener("message", ({ data }) => {
      this.frames.push(JSON.parse(data));
      this.#wake();
    });
    this.closed = new Promise((resolve) => raw.addEventListener("close", (event) => (this.#wake(), resolve(event))));
  }

  /** Only connected: nothing is sent. */
  static async raw(url: string, protocol: string | string[] = "graphql-transport-ws"): Promise<Socket> {
    const raw = new WebSocket(url.replace(/^http/, "ws"), protocol);
    const socket = new Socket(raw);
    await new Promise((resolve, reject) => {
      raw.addEventListener("open", resolve, { once: true });
      raw.addEventListener("error", () => reject(new Error("the socket can't be opened")), { once: true });
    });
    return socket;
  }

  static async open(url: string, payload: unknown): Promise<Socket> {
    const socket = await Socket.raw(url);
    socket.send({ type: "connection_init", payload });
    await socket.next((frame) => frame.type === "connection_ack");
    return socket;
  }

  send(frame: unknown): void {
    this.raw.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Starts an operation; its id. */
  subscribe(query: string, variables: unknown = {}, id = `${++this.#ids}`): string {
    this.send({ id, type: "subscribe", payload: { query, variables } });
    return id;
  }

  /** The first frame, from those that have come on, for which `wanted` holds. */
  async next(wanted: (frame: Frame) => boolean, limitMs = 5_000): Promise<Frame> {
    const giveUpAt = Date.now() + limitMs;
    for (;;) {
      const found = this.frames.find(wanted);
      if (found !== undefined) return found;
      if (this.raw.readyState === WebSocket.CLOSED) throw new Error("the socket was closed");
      const left = giveUpAt - Date.now();
      if (left <= 0) {
        throw new Error(`no such frame within ${limitMs} ms; there are ${JSON.stringify(this.frames.slice(-5))}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => (clearTimeout(timer), resolve());
      });
    }
  }

  /** What the operation `id` has delivered: the field `notificationReceived` of each frame, in their order. */
  // deno-lint-ignore no-explicit-any -- whatever the test asked for
  received(id: string): any[] {
    return this.frames.filter((frame) => frame.type === "next" && frame.id === id).map((frame) =>
      frame.payload.data?.notificationReceived
    );
  }

  /** Waits until the operation `id` has delivered `count`. */
  // deno-lint-ignore no-explicit-any -- whatever the test asked for
  async receive(id: string, count: number, limitMs = 10_000): Promise<any[]> {
    const giveUpAt = Date.now() + limitMs;
    while (this.received(id).length < count) {
      if (Date.now() > giveUpAt) throw new Error(`${this.received(id).length} of ${count} came within ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.received(id);
  }

  [Symbol.dispose](): void {
    this.raw.close();
  }
}
