/** "Seen by 7 of 12", with a bar that says the same at a glance. */

import { t } from "../strings/strings.ts";
import classes from "./seen_by.module.css";
import type { Sent } from "./sent_data.ts";

export function SeenBy({ one: { seenCount, recipientCount } }: { readonly one: Sent }) {
  if (seenCount === null || recipientCount === null) return <span className={classes.seen}>{t("sent.unknown")}</span>;
  const isAll = recipientCount > 0 && seenCount >= recipientCount;
  return (
    <span className={classes.seen} data-all={isAll || undefined}>
      <span>{t("sent.seenBy", { seen: seenCount, count: recipientCount })}</span>
      <span className={classes.bar} aria-hidden="true">
        <span
          className={classes.part}
          style={{ inlineSize: `${recipientCount === 0 ? 0 : (100 * seenCount) / recipientCount}%` }}
        />
      </span>
    </span>
  );
}
