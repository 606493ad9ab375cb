/** The gateway's own settings, besides those that every process has (kit/config.ts). `deno task start` checks them before it starts anything. */

import * as v from "valibot";
import { whole } from "../kit/config.ts";
import { SOCKET_SETTINGS } from "./delivery/settings.ts";
import { GUARD_SETTINGS } from "./guards/settings.ts";

const origins = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((part) => part.trim()).filter((part) => part !== "")),
  v.check(
    (all) => all.every((one) => URL.parse(one)?.origin === one),
    "origins such as https://app.example, separated by commas",
  ),
);

export const GATEWAY_SETTINGS = {
  ...SOCKET_SETTINGS,
  ...GUARD_SETTINGS,
  /** Web pages that may use this gateway besides its own. */
  NOTIFYX_ALLOWED_ORIGINS: v.optional(origins, ""),
  /** Which instance of a service is asked: upstream/choice.ts. */
  NOTIFYX_BALANCING: v.optional(
    v.picklist(["least-pending", "round-robin"], "least-pending or round-robin"),
    "least-pending",
  ),
  /** How long a new instance takes until it gets all of its turns; 0 is none. */
  NOTIFYX_SLOW_START_SECONDS: v.optional(whole(0, 3600), "10"),
};
