/** What an instance says of itself by its `/metrics`, for the status page. */

import { SECOND } from "../kit/time.ts";

/** How long it may take to say so, in milliseconds, and the most characters that are read of it. */
const LIMIT_MS = SECOND;
const MOST_CHARACTERS = 1_000_000;

/** The value of each metric of `names`, summed over its labels; undefined where the instance doesn't have it, or doesn't answer. */
export async function readMetrics<Name extends string>(
  url: string,
  secret: string,
  names: readonly Name[],
): Promise<Partial<Record<Name, number>>> {
  try {
    const response = await fetch(`${url}/metrics`, {
      headers: { authorization: `Bearer ${secret}` },
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const text = (await response.text()).slice(0, MOST_CHARACTERS);
    return response.ok ? valuesOf(text, names) : {};
  } catch {
    return {};
  }
}

export function valuesOf<Name extends string>(text: string, names: readonly Name[]): Partial<Record<Name, number>> {
  const values: Partial<Record<Name, number>> = {};
  for (const line of text.split("\n")) {
    const [, name, value] = /^(\w+)(?:\{.*\})? (\S+)/.exec(line) ?? [];
    const wanted = names.find((one) => one === name);
    if (wanted !== undefined && Number.isFinite(Number(value))) values[wanted] = (values[wanted] ?? 0) + Number(value);
  }
  return values;
}
