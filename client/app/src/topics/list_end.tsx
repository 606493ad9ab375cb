/** The end of a list whose next page is loaded as one comes near it. */

import { Button, Loader } from "@mantine/core";
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { t } from "../strings/strings.ts";
import classes from "./topics_page.module.css";

/** How far below the window's edge it is near, in pixels. */
const NEAR = "600px";

export interface ListEndProps {
  readonly query: Pick<
    UseInfiniteQueryResult,
    "hasNextPage" | "isFetchingNextPage" | "isFetchNextPageError" | "fetchNextPage"
  >;
}

export function ListEnd({ query }: ListEndProps) {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const element = useRef<HTMLDivElement>(null);
  const mayLoad = hasNextPage && !isFetchingNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (!mayLoad || element.current === null) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void fetchNextPage(), {
      rootMargin: NEAR,
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [mayLoad, fetchNextPage]);
  return (
    <div ref={element} className={classes.end}>
      {isFetchingNextPage && <Loader size="sm" aria-label={t("app.loading")} />}
      {isFetchNextPageError && (
        <>
          {t("topics.moreFailed")}
          <Button variant="subtle" size="compact-sm" onClick={() => void fetchNextPage()}>{t("app.retry")}</Button>
        </>
      )}
    </div>
  );
}
