/** Whether what is sent now goes now, as far as the connection tells. */

import { useSyncExternalStore } from "react";
import { notifyx } from "../data/notifyx.ts";

export function useIsConnected(): boolean {
  return useSyncExternalStore(follow, isConnected);
}

function isConnected(): boolean {
  return navigator.onLine && notifyx().connection.value.state !== "lost";
}

function follow(listener: () => void): () => void {
  const end = notifyx().connection.subscribe(listener);
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    end();
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}
