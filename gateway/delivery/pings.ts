/** Finds dead sockets: each is pinged once a round, and one from which nothing has come by its next turn is cut off. One timer for all. */

import { SECOND } from "../../kit/time.ts";

/** Between two pings of a socket, in milliseconds. */
export const PING_EVERY_MS = 12 * SECOND;
/** How many turns a round has: a turn's sockets are pinged together. */
const TURNS = 48;

export interface Pinged {
  /** Set by whoever hears of the socket: any frame, or a write that went through. */
  isAlive: boolean;
  /** Kept for {@link Pings}. */
  turn: number;
  ping(): void;
  terminate(): void;
}

export class Pings {
  readonly #turns: Set<Pinged>[] = Array.from({ length: TURNS }, () => new Set());
  #turn = 0;
  #next = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  start(everyMs = PING_EVERY_MS): void {
    this.#timer ??= setInterval(() => this.#ping(), everyMs / TURNS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Pings it from now on, until it is removed. */
  add(socket: Pinged): void {
    socket.turn = this.#next++ % TURNS;
    this.#turns[socket.turn]!.add(socket);
  }

  remove(socket: Pinged): void {
    this.#turns[socket.turn]?.delete(socket);
  }

  #ping(): void {
    for (const socket of this.#turns[this.#turn++ % TURNS]!) {
      if (!socket.isAlive) {
        socket.terminate();
        continue;
      }
      socket.isAlive = false;
      socket.ping();
    }
  }
}
