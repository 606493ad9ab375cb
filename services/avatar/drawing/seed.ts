/** What a picture is drawn from: bits of the SHA-256 of the id. The same id has the same bits for ever, and so the same hue in every style. */

import { createHash } from "node:crypto";

/** Hues without those between yellow and green, which are olive as soon as they are dark enough to be seen on white; in turns. */
const FIRST_HUE = 0.33;
const HUES = 0.88;

export class Seed {
  readonly #bytes: Uint8Array;

  constructor(id: string) {
    this.#bytes = createHash("sha256").update(id).digest();
  }

  /** In turns, from FIRST_HUE on. */
  get hue(): number {
    return FIRST_HUE + HUES * (this.#bytes[0]! * 256 + this.#bytes[1]!) / 65_536;
  }

  /** A number from 0 to below `count`, a different one for each of 30 values of `nth`. */
  choice(nth: number, count: number): number {
    return Math.floor(this.#bytes[2 + nth]! * count / 256);
  }

  bit(nth: number): boolean {
    return (this.#bytes[2 + (nth >> 3)]! >> (nth & 7) & 1) === 1;
  }
}
