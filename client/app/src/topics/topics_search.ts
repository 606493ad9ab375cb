/** What of the topics is shown, as it stands in the page's address. */

export const SHOWN = ["joined", "mine", "all"] as const;
export type Shown = typeof SHOWN[number];

export interface TopicsSearch {
  /** `joined` where it isn't there. */
  readonly show?: Exclude<Shown, "joined">;
  /** A part of the name. */
  readonly search?: string;
  /** The form for a new one is open. */
  readonly create?: true;
}

export function topicsSearch({ show, search, create }: Record<string, unknown>): TopicsSearch {
  return {
    ...show === "mine" || show === "all" ? { show } : {},
    // Who looks for 2024 has a number in the address.
    ...["string", "number"].includes(typeof search) && search !== "" ? { search: `${search}` } : {},
    ...create === true ? { create } : {},
  };
}
