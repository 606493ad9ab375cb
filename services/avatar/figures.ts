/** What avatar shows of itself on the status page. */

import { type Figure, gauge, quantile, rate } from "../../kit/dashboard/figures.ts";

export const AVATAR_FIGURES: readonly Figure[] = [
  { key: "pictures", label: "Pictures", unit: "perSecond", of: rate({ metric: "notifyx_avatars_total" }) },
  {
    key: "drawn",
    label: "Pictures drawn",
    unit: "perSecond",
    of: rate({ metric: "notifyx_avatars_total", where: ({ found }) => found === "miss" }),
  },
  {
    key: "drawing",
    label: "95\u00a0% drawn within",
    unit: "seconds",
    of: quantile(0.95, { metric: "notifyx_avatar_drawing_seconds" }),
  },
  { key: "waiting", label: "Waiting to be drawn", unit: "count", of: gauge({ metric: "notifyx_avatars_waiting" }) },
  { key: "refused", label: "Refused", unit: "perSecond", of: rate({ metric: "notifyx_avatars_refused_total" }) },
  { key: "kept", label: "Kept in memory", unit: "bytes", of: gauge({ metric: "notifyx_avatar_cache_bytes" }) },
];
