/** Compares a secret that was given with the right one, in a time that doesn't tell where they differ; only their lengths show. */

import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";

export function sameSecret(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
