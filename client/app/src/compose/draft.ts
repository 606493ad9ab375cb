/** What is being written: kept through a reload of the page and a look at other pages, and gone when it is sent or its writer signs out. */

import type { Person } from "../../../lib/mod.ts";
import { Store } from "../data/store.ts";
import { viewer } from "../session/session.ts";

export interface Draft {
  readonly topicId?: string;
  readonly message: string;
  /** Whether all subscribers get it, whoever is in `people`. */
  readonly toAll: boolean;
  readonly people: readonly Recipient[];
}

export type Recipient = Pick<Person, "id" | "email">;

export const EMPTY_DRAFT: Draft = { message: "", toAll: true, people: [] };

export const draft = new Store<Draft>(kept());

export function changeDraft(change: Partial<Draft>): void {
  const changed = { ...draft.get(), ...change };
  draft.set(changed);
  try {
    sessionStorage.setItem(keptAs(), JSON.stringify(changed));
  } catch {
    // Where there is no room it is kept as long as the page.
  }
}

export function clearDraft(): void {
  draft.set(EMPTY_DRAFT);
  sessionStorage.removeItem(keptAs());
}

/** Another person in the same tab has another one. */
function keptAs(): string {
  return `notifyx:draft:${viewer.get()?.id}`;
}

function kept(): Draft {
  try {
    return { ...EMPTY_DRAFT, ...JSON.parse(sessionStorage.getItem(keptAs()) ?? "{}") };
  } catch {
    return EMPTY_DRAFT;
  }
}
