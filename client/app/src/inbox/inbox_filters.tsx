/** What of the inbox is shown: by topic, by sender, and only what is unseen. All of it stands in the page's address. */

import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import type { Notification } from "../../../lib/mod.ts";
import { notifyx } from "../data/notifyx.ts";
import { ask } from "../data/query_client.ts";
import { t } from "../strings/strings.ts";
import { Choices } from "../ui/choices.tsx";
import type { InboxSearch } from "./inbox_search.ts";
import classes from "./inbox_filters.module.css";

/** As many topics as one chooses from in a list. */
const MOST_TOPICS = 200;
const ALL = "";

export interface InboxFiltersProps {
  /** What is loaded. */
  readonly items: readonly Notification[];
  /** Searches in it. */
  readonly children: ReactNode;
}

export function InboxFilters({ items, children }: InboxFiltersProps) {
  const search = useSearch({ from: "/app/inbox" });
  const navigate = useNavigate({ from: "/inbox" });
  const change = (change: { [Name in keyof InboxSearch]: InboxSearch[Name] | undefined }) =>
    void navigate({ to: "/inbox", search: (before) => ({ ...before, ...change }) as never });
  const topics = useTopics(search.topic);
  const senders = useSenders(items, search.from);
  return (
    <div className={classes.filters}>
      <Choices
        label={t("inbox.show")}
        value={search.unseen ? "unseen" : "all"}
        choices={[{ value: "all", label: t("inbox.all") }, { value: "unseen", label: t("inbox.unseen") }]}
        onChange={(shown) => change({ unseen: shown === "unseen" || undefined })}
      />
      <div className={classes.choices}>
        <NativeSelect
          aria-label={t("inbox.topic")}
          value={search.topic ?? ALL}
          data={[{ value: ALL, label: t("inbox.allTopics") }, ...topics]}
          onChange={({ currentTarget: { value } }) => change({ topic: value === ALL ? undefined : value })}
        />
        <NativeSelect
          aria-label={t("inbox.sender")}
          value={search.from ?? ALL}
          data={[{ value: ALL, label: t("inbox.allSenders") }, ...senders]}
          onChange={({ currentTarget: { value } }) => change({ from: value === ALL ? undefined : value })}
        />
      </div>
      {children}
    </div>
  );
}

interface Choice {
  readonly value: string;
  readonly label: string;
}

/** Those that the viewer subscribes to, and the one that is chosen, which may be one they have left. */
function useTopics(chosen: string | undefined): Choice[] {
  const { data = [] } = useQuery({
    queryKey: ["topics", "subscribed"],
    queryFn: async () => (await notifyx().topics({ subscribed: true, first: MOST_TOPICS })).items,
  });
  const isMissing = chosen !== undefined && !data.some(({ id }) => id === chosen);
  const { data: other } = useQuery({
    queryKey: ["topics", chosen, "name"],
    queryFn: () =>
      ask<{ topic: { name: string } | null }>("query ($id: ID!) { topic(id: $id) { name } }", { id: chosen }),
    enabled: isMissing,
  });
  const choices = data.map(({ id, name }) => ({ value: id, label: name ?? t("inbox.thisTopic") }));
  if (isMissing) choices.push({ value: chosen, label: other?.topic?.name ?? t("inbox.thisTopic") });
  return choices;
}

/** Those of what is loaded, and the one that is chosen. */
function useSenders(items: readonly Notification[], chosen: string | undefined): Choice[] {
  const found = useMemo(() => {
    const labels = new Map<string, string>();
    for (const { from: { id, email } } of items) labels.set(id, email ?? t("inbox.unknownSender"));
    return labels;
  }, [items]);
  const isMissing = chosen !== undefined && !found.has(chosen);
  const { data } = useQuery({
    queryKey: ["users", chosen, "email"],
    queryFn: () =>
      ask<{ user: { email: string | null } | null }>("query ($id: ID!) { user(id: $id) { email } }", { id: chosen }),
    enabled: isMissing,
  });
  const choices = [...found].map(([value, label]) => ({ value, label }));
  if (isMissing) choices.push({ value: chosen, label: data?.user?.email ?? t("inbox.unknownSender") });
  return choices.sort((one, other) => one.label.localeCompare(other.label));
}
