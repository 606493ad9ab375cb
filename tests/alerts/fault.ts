/** What is done to a system on purpose, and which alerts it has to raise. */

import type { Prometheus } from "../helpers/prometheus.ts";
import type { SmtpSink } from "../helpers/smtp_sink.ts";
import type { System } from "../helpers/system.ts";
import type { User } from "../helpers/client.ts";

export interface Stage {
  readonly system: System;
  readonly prometheus: Prometheus;
  /** Who sends to a topic, five times a second, and who is subscribed to it with a socket. */
  readonly ann: User;
  readonly bob: User;
  readonly topicId: string;
  /** The SMTP server of the system; undefined where it has none. */
  readonly smtp?: SmtpSink;
}

export interface Raised {
  readonly alert: string;
  /** Labels of the very one that this fault raises, where others may be there besides. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How long it may take where that is more than {@link FIRES_WITHIN_MS}, in milliseconds. */
  readonly withinMs?: number;
}

export interface Fault {
  /** In words, for the table. */
  readonly what: string;
  readonly raises: readonly Raised[];
  /** Makes it; what ends it is left in `ends`, as soon as there is something to end. */
  make(stage: Stage, ends: AsyncDisposableStack): Promise<void> | void;
}

/** Does something again and again, whatever comes of it, until that is ended. */
export function again(ends: AsyncDisposableStack, everyMs: number, deed: () => Promise<unknown>): void {
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const pause = new Promise((resolve) => setTimeout(resolve, everyMs));
      await deed().catch(() => {});
      await pause;
    }
  })();
  ends.defer(async () => {
    isOver = true;
    await running;
  });
}
