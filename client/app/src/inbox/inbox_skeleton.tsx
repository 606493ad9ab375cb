/** The list before it has been loaded: rows of the same height, so that nothing jumps. */

import { Skeleton } from "@mantine/core";
import { t } from "../strings/strings.ts";
import classes from "./inbox_skeleton.module.css";

const ROWS = 8;

export function InboxSkeleton() {
  return (
    <div className={classes.list} role="status" aria-label={t("app.loading")}>
      {Array.from({ length: ROWS }, (_, index) => (
        <div key={index} className={classes.row}>
          <Skeleton circle height={40} width={40} />
          <div className={classes.text}>
            <Skeleton height={12} width="40%" />
            <Skeleton height={12} width={`${90 - (index % 3) * 15}%`} />
          </div>
        </div>
      ))}
    </div>
  );
}
