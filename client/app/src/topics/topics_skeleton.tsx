/** The list before it has been loaded: rows of the same height, so that nothing jumps. */

import { Skeleton } from "@mantine/core";
import { t } from "../strings/strings.ts";
import classes from "./topics_page.module.css";

const ROWS = 8;

export function TopicsSkeleton() {
  return (
    <div className={classes.list} role="status" aria-label={t("app.loading")}>
      {Array.from({ length: ROWS }, (_, index) => (
        <div key={index} className={classes.row}>
          <Skeleton height={40} width={40} radius="md" />
          <div className={classes.text}>
            <Skeleton height={14} width={`${30 + (index % 3) * 10}%`} mb={10} />
            <Skeleton height={12} width="45%" />
          </div>
          <Skeleton height={30} width={84} />
        </div>
      ))}
    </div>
  );
}
