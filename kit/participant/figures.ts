/** What a participant shows of its transactions on the status page. */

import { type Figure, gauge, rate } from "../dashboard/figures.ts";
import { inWords } from "../dashboard/format.js";

/** Within so many seconds of everything being up nothing is in doubt. */
const MOST_IN_DOUBT_AGE = 15;

export const PARTICIPANT_FIGURES: readonly Figure[] = [
  { key: "votes", label: "Votes", unit: "perSecond", of: rate({ metric: "notifyx_participant_votes_total" }) },
  { key: "in_doubt", label: "In doubt", unit: "count", of: gauge({ metric: "notifyx_participant_in_doubt" }) },
  {
    key: "in_doubt_age",
    label: "Oldest in doubt",
    unit: "seconds",
    of: gauge({ metric: "notifyx_participant_in_doubt_oldest_age_seconds" }),
    wrong: (value) =>
      value < MOST_IN_DOUBT_AGE ? undefined : `a transaction has been in doubt for ${inWords(value, "seconds")}`,
  },
];
