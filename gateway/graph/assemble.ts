/**
 * Makes one answer of what came: puts the fields of joined rows into their objects, in the order in which they were asked for, and lets
 * null go up where it isn't allowed, as GraphQL wants it.
 */

import type { Joined } from "./joined.ts";
import type { Child, Shape } from "./plan.ts";

/** Instead of an object: it can't be, since a field of it is null that must not be. */
export const NULLED = Symbol("nulled");

type Objects = Record<string, unknown>;
/** Told of a field that must not be null and is, where no service said why. */
export type OnMissing = (joined: Joined, key: unknown, field: string) => void;

/** Each object of an answer must be given once: what isn't joined is changed where it is. */
export function assemble(
  object: Objects,
  shape: Shape,
  joined: readonly Joined[],
  onMissing: OnMissing,
): Objects | typeof NULLED {
  for (const child of shape.children) {
    const value = assembleChild(object[child.key], child, 0, joined, onMissing);
    if (value === NULLED) return NULLED;
    object[child.key] = value;
  }
  if (shape.fields === undefined) return object;
  const whole: Objects = {};
  for (const { key, join, isNonNull } of shape.fields) {
    if (join < 0) {
      whole[key] = object[key];
      continue;
    }
    const from = joined[join]!;
    const row = from.row(object[from.join.keyAs]) as Objects | typeof NULLED | null | undefined;
    if (row === NULLED) return NULLED;
    const value = row?.[key] ?? null;
    if (value === null && isNonNull) {
      if (row == null && !from.failed) onMissing(from, object[from.join.keyAs], key);
      return NULLED;
    }
    whole[key] = value;
  }
  return whole;
}

export function assembleChild(
  value: unknown,
  child: Child,
  depth: number,
  joined: readonly Joined[],
  onMissing: OnMissing,
): unknown {
  if (value === null || value === undefined) return null;
  let made: unknown = value;
  if (Array.isArray(value)) {
    for (let nth = 0; nth < value.length; nth++) {
      const item = assembleChild(value[nth], child, depth + 1, joined, onMissing);
      if (item === NULLED) {
        made = NULLED;
        break;
      }
      value[nth] = item;
    }
  } else made = assemble(value as Objects, child.shape, joined, onMissing);
  return made === NULLED && !child.nonNull[depth] ? null : made;
}
