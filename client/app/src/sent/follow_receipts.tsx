/** While it is there, receipts of a topic have its counts asked anew. */

import { useEffect } from "react";
import { notifyx } from "../data/notifyx.ts";
import { countAnew } from "./sent_data.ts";

export function FollowReceipts({ topicId }: { readonly topicId: string }) {
  useEffect(() => {
    const receipts = notifyx().receipts(topicId);
    void (async () => {
      try {
        // What was seen between the page's answer and the beginning of this.
        countAnew(topicId);
        for await (const _ of receipts) countAnew(topicId);
      } catch {
        // The topic is gone, or the session: pages say that.
      }
    })();
    return () => void receipts.return?.();
  }, [topicId]);
  return null;
}
