/** Auth's own settings, besides those that every process has (kit/config.ts). `deno task start` checks them before it starts anything. */

import * as v from "valibot";
import { whole } from "../../kit/config.ts";
import { DAY, SECOND } from "../../kit/time.ts";

export const AUTH_SETTINGS = {
  /** How long a session lasts, in seconds. */
  NOTIFYX_SESSION_SECONDS: v.optional(whole(1, 3650 * DAY / SECOND), `${30 * DAY / SECOND}`),
};
