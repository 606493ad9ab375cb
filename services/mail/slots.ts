/**
 * The connections to the SMTP server that this node may have: lease.ts says how many, as many as it holds rows of `mail_slots`. In: a
 * sending that wants one. Out: a transport of its own for so long. Those that are to be given up are closed first, and told after that.
 * Where mails are limited in number, each rests between two: nobody has it meanwhile, so that no attempt's time is spent on waiting.
 */

import type { Transport } from "./transport.ts";

export interface Slot {
  readonly number: number;
  transport: Transport;
  /** Nothing is sent before, by performance.now(). */
  restsUntil: number;
}

export class Slots {
  readonly #all = new Map<number, Slot>();
  readonly #free: Slot[] = [];
  readonly #resting = new Map<Slot, ReturnType<typeof setTimeout>>();
  readonly #waiting: ((slot: Slot | undefined) => void)[] = [];
  /** How many are to go, as soon as they are free. */
  #surplus = 0;
  #isOpen = true;
  /** Set while it is paused; resolves when all connections are closed. */
  #paused: Promise<unknown> | undefined;

  /**
   * @param pauseMs the least time between the beginnings of two mails of a connection, in milliseconds
   * @param onClosed hears of each that is closed and given up
   */
  constructor(
    private readonly open: () => Transport,
    private readonly pauseMs: number,
    private readonly onClosed: (number: number) => void,
  ) {}

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  get busy(): number {
    return this.#all.size - this.#free.length - this.#resting.size;
  }

  /** A slot, as soon as there is one; undefined when this node stops, and takes no more. */
  take(): Promise<Slot | undefined> {
    if (!this.#isOpen) return Promise.resolve(undefined);
    const slot = this.#paused ? undefined : this.#free.pop();
    if (slot !== undefined) return Promise.resolve(this.#begun(slot));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(slot: Slot): void {
    if (this.#surplus > 0) return this.#remove(slot);
    const restMs = slot.restsUntil - performance.now();
    if (restMs > 0) return this.#rest(slot, restMs);
    const next = this.#paused ? undefined : this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next(this.#begun(slot));
  }

  add(number: number): void {
    const slot = { number, transport: this.open(), restsUntil: 0 };
    this.#all.set(number, slot);
    this.give(slot);
  }

  #rest(slot: Slot, ms: number): void {
    const timer = setTimeout(() => {
      this.#resting.delete(slot);
      this.give(slot);
    }, ms);
    this.#resting.set(slot, timer);
  }

  #wake(slot: Slot): void {
    clearTimeout(this.#resting.get(slot));
    this.#resting.delete(slot);
  }

  #begun(slot: Slot): Slot {
    slot.restsUntil = performance.now() + this.pauseMs;
    return slot;
  }

  /** Gives up so many: those that are free now or rest, and then those that become free. */
  giveUp(count: number): void {
    this.#surplus = Math.max(0, count);
    while (this.#surplus > 0 && this.#free.length > 0) this.#remove(this.#free.shift()!);
    for (const slot of this.#resting.keys()) {
      if (this.#surplus === 0) return;
      this.#wake(slot);
      this.#remove(slot);
    }
  }

  /** Closes all connections, whatever is being sent, and opens none until {@link resume}. */
  pause(): void {
    this.#paused = Promise.all([...this.#all.values()].map(({ transport }) => transport.close()));
  }

  async resume(): Promise<void> {
    const paused = this.#paused;
    await paused;
    if (paused === undefined || paused !== this.#paused) return;
    this.#paused = undefined;
    for (const slot of this.#all.values()) slot.transport = this.open();
    for (const slot of this.#free.splice(0)) this.give(slot);
  }

  /** Nobody gets one any more; what is being sent goes on. */
  stop(): void {
    this.#isOpen = false;
    for (const next of this.#waiting.splice(0)) next(undefined);
  }

  /** Closes all connections, whatever is being sent. */
  async close(): Promise<void> {
    this.stop();
    for (const slot of this.#resting.keys()) this.#wake(slot);
    await Promise.all([...this.#all.values()].map(({ transport }) => transport.close()));
  }

  #remove(slot: Slot): void {
    if (this.#surplus > 0) this.#surplus--;
    void slot.transport.close().then(() => {
      this.#all.delete(slot.number);
      this.onClosed(slot.number);
    });
  }
}
