/** What the address of the compose page says. */

export interface ComposeSearch {
  /** A topic's id: one comes from there. */
  readonly topic?: string;
}

export function composeSearch({ topic }: Record<string, unknown>): ComposeSearch {
  return typeof topic === "string" ? { topic } : {};
}
