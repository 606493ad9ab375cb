/** Auth's own settings, besides those that every process has (kit/config.ts). `deno task start` checks them before it starts anything. */

import * as v from "valibot";
import { LIMITS_SETTING, whole } from "../../kit/config.ts";
import { DAY, SECOND } from "../../kit/time.ts";

export const AUTH_SETTINGS = {
  /** How long a session lasts, in seconds. */
  NOTIFYX_SESSION_SECONDS: v.optional(whole(1, 3650 * DAY / SECOND), `${30 * DAY / SECOND}`),
  /** Whether mail goes to no address that its user hasn't confirmed, by a link that they get when they register. */
  NOTIFYX_CONFIRM_ADDRESSES: v.optional(v.picklist(["on", "off"], "on or off"), "off"),
  /** How many mails of a kind (a new password, a confirmation) one address may ask for in an hour. */
  NOTIFYX_ACCOUNT_MAILS_PER_HOUR: v.optional(whole(1, 1_000_000), "5"),
  ...LIMITS_SETTING,
};
