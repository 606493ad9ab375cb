/**
 * Passwords as Argon2id hashes (npm `@node-rs/argon2`), with OWASP's least parameters. Each hash takes 19 MiB and some 30 ms of a core,
 * so only a few run at once, some wait, and more are told to come back.
 */

import { hash, verify } from "@node-rs/argon2";
import { Turns } from "../../kit/turns.ts";

/** OWASP, Password Storage Cheat Sheet. A stored hash with others is made anew at the next login. */
export const HASH_PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const CURRENT =
  `$argon2id$v=19$m=${HASH_PARAMETERS.memoryCost},t=${HASH_PARAMETERS.timeCost},p=${HASH_PARAMETERS.parallelism}$`;

export interface PasswordsOptions {
  /** How many hashes run at once, default 2: each takes 19 MiB. */
  readonly running?: number;
  /** How many may wait, default 100, some two seconds; a further one gets `TOO_MANY_REQUESTS`. */
  readonly waiting?: number;
}

export class Passwords {
  /** For who measures them. */
  readonly turns: Turns;
  readonly #nobodys: string;

  /** `nobodys` is a hash of no one's password, on which a login with an unknown address spends the same time. */
  private constructor(options: PasswordsOptions, nobodys: string) {
    const refusal = { message: "too many are signing in just now", retryAfterSeconds: 2 };
    this.turns = new Turns(options.running ?? 2, options.waiting ?? 100, refusal);
    this.#nobodys = nobodys;
  }

  static async create(options: PasswordsOptions = {}): Promise<Passwords> {
    const noPassword = crypto.getRandomValues(new Uint8Array(32));
    return new Passwords(options, await hash(noPassword, HASH_PARAMETERS));
  }

  hash(password: string): Promise<string> {
    return this.turns.run(() => hash(password, HASH_PARAMETERS));
  }

  /** Whether `password` is the one of `stored`; for an unknown user, `undefined`, it takes the same time and is false. */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    const matches = await this.turns.run(() => verify(stored ?? this.#nobodys, password));
    return matches && stored !== undefined;
  }

  /** Whether a hash was made with other parameters than today's. */
  isStale(stored: string): boolean {
    return !stored.startsWith(CURRENT);
  }
}
