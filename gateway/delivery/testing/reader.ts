/** Who listens to a hub in a test: a listener whose results are positions, and which reads as fast as the test lets it. */

import { Buffer } from "node:buffer";
import type { GraphQLFormattedError } from "graphql";
import type { Execution } from "../execution.ts";
import { Group } from "../group.ts";
import type { Hub } from "../hub.ts";
import { Listener, type ListenOptions } from "../listener.ts";
import type { Sink } from "../operation.ts";
import { acknowledgedSource, receivedSource } from "../sources.ts";
import { readFeedCursor } from "../cursor.ts";

/** Positions, at once. */
export const positions: Execution = (root) => {
  return Buffer.from(`${readFeedCursor((root as { cursor: string }).cursor).position}`);
};

export class Reader implements Sink {
  readonly received: number[] = [];
  /** How it ended: `complete`, or an error's code. */
  end: string | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  readonly listener: Listener;

  constructor(
    hub: Hub,
    options: Partial<ListenOptions>,
    group = new Group(positions, () => {}),
    kind: "received" | "acknowledged" = "received",
  ) {
    const source = kind === "received"
      ? receivedSource(hub.upstream)
      : acknowledgedSource(hub.upstream, () => Promise.resolve(null));
    this.listener = new Listener({ userId: "bob", topicId: null, after: null, ...options }, source, group, this, hub);
    hub.listen(this.listener);
  }

  /** It takes no more, but what is given to it all the same. */
  block(): void {
    this.#room ??= Promise.withResolvers();
  }

  unblock(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  next(payload: Uint8Array): void {
    this.received.push(Number(Buffer.from(payload).toString()));
  }

  beginsAt(): void {}

  error([error]: readonly GraphQLFormattedError[]): void {
    this.end = String(error!.extensions?.code);
  }

  complete(): void {
    this.end = "complete";
  }

  room(): Promise<void> | undefined {
    return this.#room?.promise;
  }
}
