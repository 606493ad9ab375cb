/** Many subscriptions of many viewers at once, and what each of them gets. */

import { type Frame, type Socket, User } from "../helpers/client.ts";
import { listening, type System, until } from "../helpers/system.ts";
import { type Asked, subscriptionOf } from "./asked.ts";
import { nameOf, valuesOf } from "./paths.ts";

/** A user's session. */
export interface Viewer {
  readonly name: string;
  readonly user: User;
  /** Chooses the values of their variables. */
  readonly nth: number;
}

/** How many are subscribed to by each viewer at once. */
const AT_ONCE = 24;
const QUERIES_AT_ONCE = 12;
const LIMIT_MS = 60_000;

/** One subscription of one viewer. */
export class Watching {
  private constructor(readonly viewer: Viewer, readonly asked: Asked, readonly socket: Socket, readonly id: string) {}

  /** All that is asked for, on a socket of its own. */
  static async open(viewer: Viewer, asked: readonly Asked[], topicId: string | null, after: string) {
    const socket = await viewer.user.connect();
    return asked.map((one) => {
      const variables = { topicId, after, ...valuesOf(one.path, viewer.nth) };
      return new Watching(viewer, one, socket, socket.subscribe(subscriptionOf(one), variables));
    });
  }

  /** Results so far. @throws Error when the subscription has ended */
  // deno-lint-ignore no-explicit-any -- whatever was asked for
  get results(): { data: any; errors?: unknown }[] {
    const frames = this.socket.frames.filter((frame) => frame.id === this.id);
    const end = frames.find(({ type }: Frame) => type !== "next");
    if (end !== undefined) throw new Error(`${this}: ${JSON.stringify(end)}`);
    return frames.map(({ payload }) => payload);
  }

  toString(): string {
    return `${this.viewer.name}: ${this.asked.root}.${nameOf(this.asked.path)}, ${this.asked.style}`;
  }
}

/** Waits until each has as many results as `count` says of its viewer. */
export async function arrived(watching: readonly Watching[], count: (viewer: Viewer) => number): Promise<void> {
  const waiting = new Set(watching);
  await until("all have what is theirs", () => {
    for (const one of waiting) if (one.results.length >= count(one.viewer)) waiting.delete(one);
    return waiting.size === 0;
  }, LIMIT_MS);
}

/** Closes their sockets, so that the next ones are alone on the gateway. */
export async function close(system: System, watching: readonly Watching[]): Promise<void> {
  for (const socket of new Set(watching.map(({ socket }) => socket))) socket.raw.close();
  await listening(system, 0);
}

/** As many as one viewer subscribes to at once. */
export function slices<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / AT_ONCE);
  return Array.from({ length: count }, (_, nth) => items.slice(nth * AT_ONCE, (nth + 1) * AT_ONCE));
}

/** A few at once. */
export async function forEach<Item>(items: readonly Item[], use: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(Array.from({ length: QUERIES_AT_ONCE }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await use(item);
  }));
}

/** The same user signed in once more. */
export async function signedInAgain(user: User): Promise<User> {
  const login = 'mutation ($email: String!) { login(email: $email, password: "correct horse") { token } }';
  const { token } = (await user.get(login, { email: user.email })).login;
  return new User(user.url, user.id, user.email, token);
}

/** What differs between what came and what the same viewer gets alone. */
export class Findings {
  readonly differences: string[] = [];
  /** How many comparisons were made. */
  compared = 0;

  compare(one: Watching, how: string, got: unknown, alone: unknown): void {
    this.compared++;
    const [is, wanted] = [JSON.stringify(got), JSON.stringify(alone)];
    if (is !== wanted) this.differences.push(`${one}, ${how}: ${is}; alone: ${wanted}`);
  }
}
