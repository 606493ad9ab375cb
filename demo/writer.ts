/** Texts from patterns (texts.ts). In: a pattern and a seed's choices. Out: the text. */

import type { Random } from "./random.ts";
import { PLACES, type Theme, THEMES, WORDS } from "./texts.ts";

export interface Subject {
  readonly name: string;
  readonly theme: Theme;
}

export const MOST_TOPICS = THEMES.length * (PLACES.length + 1);

/** The first `count` topics: each theme once, then each for the first place, and so on. */
export function subjects(count: number): Subject[] {
  return Array.from({ length: count }, (_, nth) => {
    const theme = THEMES[nth % THEMES.length]!;
    const round = Math.floor(nth / THEMES.length);
    return { theme, name: round === 0 ? theme.name : `${theme.name} · ${PLACES[round - 1]}` };
  });
}

/** `used` are words that stand in it already: two names in one text are those of two people. */
export function write(pattern: string, random: Random, used = new Set<string>()): string {
  return pattern.replaceAll(/\{(?:(\d+)-(\d+)|([a-z]+))\}/g, (_, least?: string, most?: string, word?: string) => {
    if (word === undefined) return String(random.whole(Number(least), Number(most)));
    const left = WORDS[word]!.filter((one) => !used.has(one));
    const chosen = random.pick(left.length > 0 ? left : WORDS[word]!);
    used.add(chosen);
    return write(chosen, random, used);
  });
}
