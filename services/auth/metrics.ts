/** Auth's own metrics. */

import { counter, gauge } from "../../kit/metrics.ts";
import type { Turns } from "../../kit/turns.ts";

export const logins = counter("notifyx_auth_logins_total");

export const registrations = counter("notifyx_auth_registrations_total");

export const linksUsed = counter("notifyx_auth_links_used_total");

export const usersAsked = counter("notifyx_auth_users_total");

export const endedPosition = gauge("notifyx_auth_ended_sessions_position");

export const endedStreams = gauge("notifyx_auth_ended_sessions_streams");

export function measureHashes(turns: Omit<Turns, "run">): void {
  gauge("notifyx_auth_hashes_running", () => turns.running);
  gauge("notifyx_auth_hashes_limit", () => turns.most);
  gauge("notifyx_auth_hashes_waiting", () => turns.waiting);
  gauge("notifyx_auth_hashes_waiting_limit", () => turns.mostWaiting);
  counter("notifyx_auth_hashes_refused_total", () => turns.refused);
}
