/** The library as a test uses it: a client of a user, whose tries follow one another quickly, and loops of which the test sees what came. */

import { createNotifyx, type Notification, type Notifyx, type NotifyxEvents, type NotifyxOptions } from "../mod.ts";

export const QUICK = { retryMs: [20, 200], pingMs: 1_000, limitMs: 3_000 } as const;

export interface Watched extends Disposable {
  readonly notifyx: Notifyx;
  readonly heard: { readonly [Name in keyof NotifyxEvents]: NotifyxEvents[Name][] };
  /** The states of its connection, each as often as it began. */
  readonly states: string[];
}

/** A client that keeps all that it tells; closed with the test. */
export function watched(options: NotifyxOptions): Watched {
  const notifyx = createNotifyx({ timing: QUICK, ...options });
  const heard: Watched["heard"] = { sessionEnded: [], cursorExpired: [], caughtUp: [], seen: [], problem: [] };
  for (const name of Object.keys(heard) as (keyof NotifyxEvents)[]) {
    notifyx.on(name, (event) => (heard[name] as unknown[]).push(event));
  }
  const states: string[] = [];
  notifyx.connection.subscribe(({ state }) => state !== states.at(-1) && states.push(state));
  return { notifyx, heard, states, [Symbol.dispose]: () => notifyx.close() };
}

export interface Collected {
  readonly messages: string[];
  /** What the loop ended with; undefined while it runs, null where it just ended. */
  end: unknown;
}

/** All that a loop gets. */
export function collect(items: AsyncIterable<Notification>): Collected {
  const collected: Collected = { messages: [], end: undefined };
  void (async () => {
    try {
      for await (const { message } of items) collected.messages.push(message);
      collected.end = null;
    } catch (error) {
      collected.end = error;
    }
  })();
  return collected;
}
