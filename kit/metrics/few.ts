/** What an unbounded name becomes where there are as many as a label may have. */
export const OTHER = "other";

/**
 * Keeps the values of a label few where others choose them: services that join the cluster, fields of their schemas. The first `most` keep
 * their names; all that come later are {@link OTHER} together.
 */
export class Few {
  readonly #known = new Set<string>();

  constructor(private readonly most: number) {}

  of(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= this.most) return OTHER;
    this.#known.add(name);
    return name;
  }
}

/** Of services: ours are eight, and those that join are named by who has the cluster's secret. */
export const fewServices: Few = new Few(100);
