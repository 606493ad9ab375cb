/** The list before it has been loaded: rows of the same height, so that nothing jumps. */

import { Skeleton } from "@mantine/core";
import { t } from "../strings/strings.ts";
import classes from "./sent_row.module.css";

const ROWS = 8;

export function SentSkeleton() {
  return (
    <div role="status" aria-label={t("app.loading")}>
      {Array.from({ length: ROWS }, (_, index) => (
        <div key={index} className={classes.row}>
          <div className={classes.text}>
            <Skeleton height={12} width="30%" mb="sm" />
            <Skeleton height={12} width={`${85 - (index % 3) * 15}%`} />
          </div>
          <Skeleton height={12} width={96} />
        </div>
      ))}
    </div>
  );
}
