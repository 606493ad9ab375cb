/** Short messages at the edge of the page that go by themselves, some with a way back. */

import { Store } from "../data/store.ts";

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError?: boolean;
  readonly action?: { readonly label: string; readonly run: () => void };
  /** How long it stays, in milliseconds. */
  readonly lastsMs: number;
}

const LASTS_MS = 6_000;
const MOST = 3;

export const toasts = new Store<readonly Toast[]>([]);
let ids = 0;

/** Its id, by which it can be taken away. */
export function showToast(toast: Omit<Toast, "id" | "lastsMs"> & { readonly lastsMs?: number }): number {
  const id = ++ids;
  toasts.set([...toasts.get(), { lastsMs: LASTS_MS, ...toast, id }].slice(-MOST));
  return id;
}

export function removeToast(id: number): void {
  toasts.set(toasts.get().filter((one) => one.id !== id));
}
