/**
 * Every text that the app shows: `en.json` has them all, in ICU's syntax. A build compiles them, so that a browser parses none.
 * Another language is another such file.
 */

import type { CompiledMessage } from "icu-minify/format";
import format from "icu-minify/format";
import english from "./en.json" with { type: "json" };

export type TextKey = keyof typeof english;
export type TextValues = Readonly<Record<string, string | number>>;

export const LOCALE = "en";

const texts = english as unknown as Record<TextKey, CompiledMessage>;
const formatters = {
  getNumberFormat: once((...args: ConstructorParameters<typeof Intl.NumberFormat>) => new Intl.NumberFormat(...args)),
  getPluralRules: once((...args: ConstructorParameters<typeof Intl.PluralRules>) => new Intl.PluralRules(...args)),
  getDateTimeFormat: once((...args: ConstructorParameters<typeof Intl.DateTimeFormat>) =>
    new Intl.DateTimeFormat(...args)
  ),
};

/** The text of that name with the values put in. */
export function t(key: TextKey, values?: TextValues): string {
  return format(texts[key], LOCALE, values, { formatters }) as string;
}

/** Such formatters are slow to make. */
function once<Args extends unknown[], Made>(make: (...args: Args) => Made): (...args: Args) => Made {
  const made = new Map<string, Made>();
  return (...args) => {
    const key = JSON.stringify(args);
    if (!made.has(key)) made.set(key, make(...args));
    return made.get(key)!;
  };
}
