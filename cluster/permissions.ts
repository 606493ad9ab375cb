/** Deno's permissions as flags. */

/** `--allow-KIND=…`; a comma within an item is doubled, which is how Deno tells it from one between two. */
export function allow(
  kind: "read" | "write" | "run" | "net" | "env" | "sys" | "ffi",
  items: readonly string[],
): string {
  return `--allow-${kind}=${[...new Set(items)].map((item) => item.replaceAll(",", ",,")).join(",")}`;
}
