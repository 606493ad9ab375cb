/** A value that can be looked at and listened to, and events with names. */

export interface Observable<T> {
  readonly value: T;
  /** Calls `listener` with the present value, where there is one, and with each later one, until what it returns is called. */
  subscribe(listener: (value: T) => void): () => void;
}

export class Value<T> implements Observable<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** `onUse` is called with whether anybody listens, when that changes. */
  constructor(public value: T, private readonly onUse?: (used: boolean) => void) {}

  set(value: T): void {
    this.value = value;
    for (const listener of [...this.#listeners]) call(listener, value);
  }

  get isUsed(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: (value: T) => void): () => void {
    // The same function may listen twice.
    const own = (value: T) => listener(value);
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.onUse?.(true);
    if (this.value !== undefined) call(own, this.value);
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.onUse?.(false);
    };
  }
}

/** What goes wrong in a listener is the app's, and told as such: it stops nobody else. */
function call<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export class Emitter<Events> {
  readonly #values: { [Name in keyof Events]?: Value<Events[Name] | undefined> } = {};

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const value = this.#values[name] ??= new Value<Events[Name] | undefined>(undefined);
    return value.subscribe(listener as (event: Events[Name] | undefined) => void);
  }

  isHeard(name: keyof Events): boolean {
    return this.#values[name]?.isUsed ?? false;
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.#values[name]?.set(event);
  }
}
