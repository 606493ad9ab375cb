/** The page before it has been loaded. */

import { Skeleton } from "@mantine/core";
import { t } from "../strings/strings.ts";
import classes from "./system_page.module.css";

const CARDS = 6;

export function SystemSkeleton() {
  return (
    <div role="status" aria-label={t("app.loading")}>
      <Skeleton height={52} radius="md" />
      <div className={classes.cards}>
        {Array.from({ length: CARDS }, (_, index) => <Skeleton key={index} height={176} radius="md" />)}
      </div>
    </div>
  );
}
