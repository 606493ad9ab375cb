/** The notifications service's own settings, besides those that every process has (kit/config.ts). */

import * as v from "valibot";
import { whole } from "../../kit/config.ts";

export const NOTIFICATIONS_SETTINGS = {
  /** The hour of UTC at which daily digests are made. */
  NOTIFYX_DIGEST_HOUR: v.optional(whole(0, 23), "6"),
};
