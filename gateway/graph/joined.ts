/** What one join of a running plan knows: the keys that are asked for, where each is wanted, and the rows that came. */

import type { Path } from "./answer.ts";
import type { Child, Join, Shape } from "./plan.ts";

/** A place in the answer, from the inside to the outside. */
export interface Place {
  readonly parent: Place | Row | undefined;
  readonly key: string | number;
}
/** A row of a join stands wherever its key does. */
export interface Row {
  readonly joined: Joined;
  readonly nth: number;
}
type Objects = Record<string, unknown>;

/** Paths of one row that are told in errors. */
const PATH_LIMIT = 100;

export class Joined {
  readonly keys: unknown[] = [];
  readonly rows: unknown[] = [];
  /** The numbers of the keys that have to be asked for. */
  asked: readonly number[] = [];
  /** Nothing came: each place has an error. */
  failed = false;
  readonly #numbers = new Map<unknown, number>();
  readonly #places: (Place | Row | undefined)[][] = [];

  constructor(readonly join: Join) {}

  want(key: unknown, place: Place | Row | undefined): void {
    let nth = this.#numbers.get(key);
    if (nth === undefined) {
      nth = this.keys.push(key) - 1;
      this.#numbers.set(key, nth);
      this.#places.push([place]);
    } else this.#places[nth]!.push(place);
  }

  row(key: unknown): unknown {
    const nth = this.#numbers.get(key);
    return nth === undefined ? undefined : this.rows[nth];
  }

  pathsOf(key: unknown): Path[] {
    const nth = this.#numbers.get(key);
    return nth === undefined ? [] : this.paths(nth);
  }

  /** Where the row stands in the answer. */
  paths(nth: number): Path[] {
    return (this.#places[nth] ?? []).slice(0, PATH_LIMIT).flatMap(pathsOf).slice(0, PATH_LIMIT);
  }
}

function pathsOf(place: Place | Row | undefined): Path[] {
  if (place === undefined) return [[]];
  if ("joined" in place) return place.joined.paths(place.nth);
  return pathsOf(place.parent).map((path) => [...path, place.key]);
}

/** Notes in `joined` what the object and those below it need. */
export function collect(
  object: Objects,
  shape: Shape,
  place: Place | Row | undefined,
  joined: readonly Joined[],
): void {
  for (const child of shape.children) collectChild(object[child.key], child, { parent: place, key: child.key }, joined);
  for (const id of shape.joins) {
    const one = joined[id]!;
    const key = object[one.join.keyAs];
    if (key !== null && key !== undefined) one.want(key, place);
  }
}

export function collectChild(value: unknown, child: Child, place: Place, joined: readonly Joined[]): void {
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) {
    for (let nth = 0; nth < value.length; nth++) collectChild(value[nth], child, { parent: place, key: nth }, joined);
  } else collect(value as Objects, child.shape, place, joined);
}
