/** What auth shows of itself on the status page. */

import { type Figure, gauge, rate } from "../../kit/dashboard/figures.ts";

const LOGINS = "notifyx_auth_logins_total";

export const AUTH_FIGURES: readonly Figure[] = [
  {
    key: "logins",
    label: "Logins",
    unit: "perSecond",
    of: rate({ metric: LOGINS, where: ({ outcome }) => outcome === "good" }),
  },
  {
    key: "wrong",
    label: "Logins with a wrong password",
    unit: "perSecond",
    of: rate({ metric: LOGINS, where: ({ outcome }) => outcome === "wrong" }),
  },
  {
    key: "registered",
    label: "Registrations",
    unit: "perSecond",
    of: rate({ metric: "notifyx_auth_registrations_total" }),
  },
  { key: "hashes", label: "Passwords waiting", unit: "count", of: gauge({ metric: "notifyx_auth_hashes_waiting" }) },
  { key: "users", label: "Users asked for", unit: "perSecond", of: rate({ metric: "notifyx_auth_users_total" }) },
  {
    key: "streams",
    label: "Gateways that hear of ends",
    unit: "count",
    of: gauge({ metric: "notifyx_auth_ended_sessions_streams" }),
  },
];
