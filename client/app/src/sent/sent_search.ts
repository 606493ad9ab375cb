/** What the address of the page of sent notifications says. */

export interface SentSearch {
  /** Only those of this topic. */
  readonly topic?: string;
}

export function sentSearch({ topic }: Record<string, unknown>): SentSearch {
  return typeof topic === "string" ? { topic } : {};
}
