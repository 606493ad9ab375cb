/**
 * One notification's way through this gateway, where its send is traced: taken from the feed, executed for each group, written. There is
 * one span for each step and not for each socket: those are ten thousand.
 *
 * In: the event, then the listeners to whom the hub has given it. Out: spans below the send's, wherever that was.
 */

import { joinTrace, type Span } from "../../kit/tracing/mod.ts";
import type { NotificationEvent } from "./feed_event.ts";
import type { Group } from "./group.ts";
import type { Listener } from "./listener.ts";

/** To whom an event is given. */
export type Given = ReadonlyMap<Group, ReadonlySet<Listener> | readonly Listener[]>;

export class TracedDelivery {
  readonly #executing: Span;

  constructor(private readonly span: Span) {
    this.#executing = span.child("execute");
  }

  /** Undefined where nothing is traced. */
  static begin(event: NotificationEvent): TracedDelivery | undefined {
    const span = joinTrace("deliver", "consumer", event.traceparent);
    if (span === undefined) return undefined;
    span.set("notifyx.transaction.id", event.id);
    span.set("notifyx.feed.position", event.position);
    return new TracedDelivery(span);
  }

  get traceId(): string {
    return this.span.traceId;
  }

  /** In the turn in which it is given; `written` calls back once all that was given before has been written. */
  async follow(given: Given, written: (then: () => void) => void): Promise<void> {
    let listeners = 0;
    for (const those of given.values()) listeners += "size" in those ? those.size : those.length;
    this.span.set("notifyx.listeners", listeners);
    // Nobody listens here: nothing was executed, and a span that isn't ended is never told of.
    if (listeners === 0) return this.span.end();
    this.#executing.set("notifyx.groups", given.size);
    // What takes longer than a turn waits in its group.
    const settled = [...given.keys()].map((group) => group.settled()).filter((settled) => settled !== undefined);
    if (settled.length > 0) await Promise.all(settled);
    this.#executing.end();
    const writing = this.span.child("write", "internal", { "notifyx.listeners": listeners });
    written(() => {
      writing.end();
      this.span.end();
    });
  }
}
