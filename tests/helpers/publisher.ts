/** Senders that go on whatever happens to the system, and keep what they are told. */

import { delay } from "../../kit/time.ts";
import type { User } from "./client.ts";
import { until } from "./system.ts";

const SEND = 'mutation ($topicId: ID!) { sendNotification(topicId: $topicId, message: "one of many") { id } }';
/** Between two tries when there is no answer at all, in milliseconds. */
const PAUSE_MS = 20;

export class Publisher {
  /** The ids of what was sent. */
  readonly sent: string[] = [];
  /** The codes of what failed; `none` where there was no answer. */
  readonly failed: string[] = [];
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(sender: User, topicId: string, senders = 2) {
    this.#running = Promise.all(Array.from({ length: senders }, () => this.#send(sender, topicId)));
  }

  /** Waits until `count` more are sent than now. */
  async sends(count: number, limitMs = 15_000): Promise<void> {
    const enough = this.sent.length + count;
    await until(`${count} more are sent`, () => this.sent.length >= enough, limitMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #send(sender: User, topicId: string): Promise<void> {
    while (!this.#stopped) {
      try {
        const { data, errors } = await sender.ask(SEND, { topicId });
        if (errors === undefined) this.sent.push(data.sendNotification.id);
        else this.failed.push(errors[0]!.extensions.code);
      } catch {
        this.failed.push("none");
      }
      if (this.failed.length > 0) await delay(PAUSE_MS);
    }
  }
}
