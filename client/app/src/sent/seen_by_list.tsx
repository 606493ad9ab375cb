/** Who has seen it, and when. */

import { Button, Skeleton } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { errorText } from "../data/errors.ts";
import { ask } from "../data/query_client.ts";
import { t } from "../strings/strings.ts";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { RelativeTime } from "../ui/relative_time.tsx";
import classes from "./seen_by_list.module.css";

const SEEN_BY = `query ($id: ID!, $after: String) { notification(id: $id) { seenBy(first: 50, after: $after) {
  edges { at node { id email } } pageInfo { hasNextPage endCursor }
} } }`;

interface SeenByPage {
  readonly edges: readonly {
    readonly at: string | null;
    readonly node: { readonly id: string; readonly email: string | null };
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

export function SeenByList({ id }: { readonly id: string }) {
  const seen = useInfiniteQuery({
    queryKey: ["sent", "one", id, "seenBy"],
    queryFn: async ({ pageParam }) => {
      const { notification } = await ask<{ notification: { seenBy: SeenByPage | null } | null }>(SEEN_BY, {
        id,
        after: pageParam,
      });
      return notification?.seenBy ?? { edges: [], pageInfo: { hasNextPage: false, endCursor: null } };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ pageInfo: { hasNextPage, endCursor } }) => hasNextPage ? endCursor ?? undefined : undefined,
  });
  if (seen.isPending) return <Skeleton height={12} width="50%" mt="md" />;
  if (seen.isError && seen.data === undefined) {
    return (
      <p className={classes.hint} role="alert">
        {t("sent.seenByFailed", { reason: errorText(seen.error) })}{" "}
        <Button size="compact-sm" variant="default" onClick={() => void seen.refetch()}>{t("app.retry")}</Button>
      </p>
    );
  }
  const people = seen.data.pages.flatMap(({ edges }) => edges);
  if (people.length === 0) return <p className={classes.hint}>{t("sent.nobodyYet")}</p>;
  return (
    <>
      <ul className={classes.list} aria-label={t("sent.whoHasSeen")}>
        {people.map(({ at, node }) => (
          <li key={node.id} className={classes.person}>
            <PersonAvatar person={node} size={28} />
            <span className={classes.email}>{node.email ?? t("inbox.unknownSender")}</span>
            {at === null
              ? <span className={classes.time}>{t("sent.sometime")}</span>
              : <RelativeTime at={at} className={classes.time} />}
          </li>
        ))}
      </ul>
      {seen.hasNextPage && (
        <Button
          variant="default"
          size="compact-md"
          mt="sm"
          loading={seen.isFetchingNextPage}
          onClick={() => void seen.fetchNextPage()}
        >
          {t("sent.moreSeen")}
        </Button>
      )}
    </>
  );
}
