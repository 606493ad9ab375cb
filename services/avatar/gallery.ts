/**
 * Drawn pictures, kept as they are sent. In: a picture's name. Out: its bytes, drawn once however many ask at the same time.
 */

import { LRUCache } from "lru-cache";
import { drawSvg } from "./drawing/mod.ts";
import { hits, misses, shared } from "./metrics.ts";
import { keyOf, type Picture } from "./picture.ts";
import type { Pool } from "./pool.ts";
import type { Sitters } from "./sitters.ts";

/** What an entry takes besides its bytes: its key, its headers, its place in the cache. */
const OVERHEAD_BYTES = 1_000;
/** Whole answers to the pictures that were asked for last: each takes 4 KB, so they are few. */
const MOST_ANSWERS = 2_000;

export class Gallery {
  /** Of pictures that are kept. To clone one costs 0.2 µs, to make it 5 to 10: so long are five headers checked. */
  readonly answers = new LRUCache<string, Response>({ max: MOST_ANSWERS });
  readonly #kept: LRUCache<string, Uint8Array<ArrayBuffer>> | undefined;
  readonly #drawing = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  constructor(private readonly pool: Pool, private readonly sitters: Sitters, readonly mostBytes: number) {
    // A cache of no size would be one without a bound.
    if (mostBytes === 0) return;
    this.#kept = new LRUCache({
      maxSize: mostBytes,
      sizeCalculation: (bytes) => bytes.length + OVERHEAD_BYTES,
      dispose: (_, key) => this.answers.delete(key),
    });
  }

  get bytes(): number {
    return this.#kept?.calculatedSize ?? 0;
  }

  get count(): number {
    return this.#kept?.size ?? 0;
  }

  /** What is kept of it; undefined where it has to be drawn. */
  kept(key: string): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.#kept?.get(key);
    if (bytes !== undefined) hits.inc();
    return bytes;
  }

  /** @throws UserError as {@link Pool.draw} and {@link Sitters.letters} */
  get(picture: Picture): Promise<Uint8Array<ArrayBuffer>> {
    const key = keyOf(picture);
    const drawing = this.#drawing.get(key);
    if (drawing !== undefined) {
      shared.inc();
      return drawing;
    }
    misses.inc();
    const drawn = this.#draw(picture).then((bytes) => {
      this.#kept?.set(key, bytes);
      return bytes;
    }).finally(() => this.#drawing.delete(key));
    this.#drawing.set(key, drawn);
    return drawn;
  }

  async #draw({ id, style, size, format }: Picture): Promise<Uint8Array<ArrayBuffer>> {
    const letters = style === "INITIALS" ? await this.sitters.letters(id) : "";
    // Text of some hundred bytes costs less here than the way to a thread.
    if (format === "svg") return new TextEncoder().encode(drawSvg({ id, letters }, style, size));
    return await this.pool.draw({ id, letters, style, size });
  }
}
