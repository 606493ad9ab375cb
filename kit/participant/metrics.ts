/** What a participant measures. */

import { counter, gauge } from "../metrics.ts";

export const votes = counter("notifyx_participant_votes_total");

export const inDoubt = gauge("notifyx_participant_in_doubt");

export const inDoubtOldestAge = gauge("notifyx_participant_in_doubt_oldest_age_seconds");
