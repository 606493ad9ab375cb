/**
 * Which operations are traced, decided where they come in, at a gateway; what belongs to them elsewhere follows. The names are those of
 * OpenTelemetry's samplers: `parentbased_…` does as the caller's `traceparent` says, if there is one, the others don't look at it.
 *
 * By default nobody outside has a say: who could set a flag would have every request of theirs cost twenty spans. The decision is by
 * chance and not by the trace's id, as OpenTelemetry's ratio is, since that id is the caller's to choose.
 */

import type { TraceParent } from "./traceparent.ts";

export const SAMPLERS = [
  "traceidratio",
  "always_on",
  "always_off",
  "parentbased_traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
] as const;
export type SamplerName = typeof SAMPLERS[number];

export class Sampler {
  /** Whether the caller's flag is believed. */
  readonly #isParentBased: boolean;
  /** Of operations whose callers say nothing, or aren't believed: 0 to 1. */
  readonly #share: number;

  constructor(name: SamplerName, ratio: number, private readonly random: () => number = Math.random) {
    this.#isParentBased = name.startsWith("parentbased_");
    this.#share = name.endsWith("always_on") ? 1 : name.endsWith("always_off") ? 0 : ratio;
  }

  /** `parent` is asked only where it matters: it costs the most, and nearly all that come in are not traced. */
  takes(parent: () => TraceParent | undefined): boolean {
    return (this.#isParentBased ? parent()?.sampled : undefined) ?? this.random() < this.#share;
  }
}
