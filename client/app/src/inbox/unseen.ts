/** How many are unseen, as the page shows it: the server's number without what was just marked. */

import { useSyncExternalStore } from "react";
import { pending, pendingCount } from "./acknowledging.ts";
import { unseenOnServer } from "./inbox_data.ts";

export function unseenCount(): number | undefined {
  const count = unseenOnServer.get();
  return count === undefined ? undefined : Math.max(0, count - pendingCount());
}

export function followUnseen(listener: () => void): () => void {
  const ends = [unseenOnServer.subscribe(listener), pending.subscribe(listener)];
  return () => ends.forEach((end) => end());
}

/** Undefined until it is known. */
export function useUnseenCount(): number | undefined {
  return useSyncExternalStore(followUnseen, unseenCount);
}
