/** Deno's permissions as flags. */

type Kind = "read" | "write" | "run" | "net" | "env" | "sys" | "ffi";

/**
 * `--allow-KIND=…`. Deno takes a comma for the end of an item and knows no way to write one, so a checkout that has
 * one in its path gets that permission without a list.
 */
export function allow(kind: Kind, items: readonly string[]): string {
  if (items.some((item) => item.includes(","))) return `--allow-${kind}`;
  return `--allow-${kind}=${[...new Set(items)].join(",")}`;
}
