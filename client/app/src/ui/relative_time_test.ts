/** How long ago something was, as people say it. */

import { equal } from "node:assert/strict";
import { relativeTime } from "./relative_time.tsx";

const NOW = new Date(2026, 10, 30, 12);

Deno.test("relative time - from now to years ago; what a server's clock has ahead is now", () => {
  for (
    const [at, text] of [
      [new Date(2026, 10, 30, 12, 0, 5), "now"],
      [new Date(2026, 10, 30, 11, 59, 1), "now"],
      [new Date(2026, 10, 30, 11, 59), "1 min. ago"],
      [new Date(2026, 10, 30, 11, 0, 1), "59 min. ago"],
      [new Date(2026, 10, 30, 9), "3 hr. ago"],
      [new Date(2026, 10, 29, 12), "yesterday"],
      [new Date(2026, 10, 27, 12), "3 days ago"],
      [new Date(2026, 10, 3), "Nov 3"],
      [new Date(2025, 11, 24), "Dec 24, 2025"],
    ] as const
  ) equal(relativeTime(at, NOW), text);
});

Deno.test("relative time - by seconds, for what happens all the time", () => {
  equal(relativeTime(new Date(2026, 10, 30, 11, 59, 53), NOW, true), "7 sec. ago");
  equal(relativeTime(NOW, NOW, true), "now");
  equal(relativeTime(new Date(2026, 10, 30, 11, 59), NOW, true), "1 min. ago");
});
