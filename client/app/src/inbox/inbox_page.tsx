/** The inbox: what to show of it, the list, and what is done with it. */

import { Button, TextInput, Title } from "@mantine/core";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useDeferredValue, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Notification } from "../../../lib/mod.ts";
import { useStore } from "../data/store.ts";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { NoticesOffer } from "../notices/notices_offer.tsx";
import { useTitle } from "../shell/title.ts";
import { t } from "../strings/strings.ts";
import { CheckAllIcon, InboxIcon, SearchIcon } from "../ui/icons.tsx";
import { Columns } from "../ui/columns.tsx";
import { FailedView } from "../ui/failed_view.tsx";
import { MessageView } from "../ui/message_view.tsx";
import { acknowledge, acknowledgeAll, isSeen, pending, undo } from "./acknowledging.ts";
import { inboxList } from "./inbox_data.ts";
import { InboxFilters } from "./inbox_filters.tsx";
import { InboxListView } from "./inbox_list_view.tsx";
import { InboxSkeleton } from "./inbox_skeleton.tsx";
import classes from "./inbox_page.module.css";
import { useUnseenCount } from "./unseen.ts";

export function InboxPage() {
  const search = useSearch({ from: "/app/inbox" });
  const { notificationId: openId } = useParams({ strict: false });
  const list = inboxList(search);
  const state = useStore(list.state);
  const actions = useSyncExternalStore(pending.subscribe, pending.get);
  const unseen = useUnseenCount();
  const [words, setWords] = useState("");
  const wanted = useDeferredValue(words.trim().toLocaleLowerCase());
  const searchField = useRef<HTMLInputElement>(null);
  useTitle(t("inbox.title"));

  const items = useMemo(
    () => state.items.filter((one) => (search.unseen === undefined || !isSeen(one)) && matches(one, wanted)),
    [state.items, actions, search.unseen, wanted],
  );
  const hasUnseen = (unseen ?? 0) > 0;
  const markAll = () => {
    if (!hasUnseen) return;
    // The server knows no "all of this sender".
    if (search.from === undefined) acknowledgeAll(state.items, search.topic);
    else acknowledge(state.items);
  };
  useShortcuts([
    { keys: "/", label: "keys.search", run: () => searchField.current?.focus() },
    { keys: "A", label: "keys.acknowledgeAll", run: markAll },
    { keys: "z", label: "keys.undo", run: undo },
  ]);
  return (
    <Columns isOpen={openId !== undefined}>
      <div className={classes.page}>
        <header className={classes.header}>
          <div className={classes.titleRow}>
            <Title order={1} size="h2">{t("inbox.title")}</Title>
            <span className={classes.count}>{unseen !== undefined && t("inbox.unseenCount", { count: unseen })}</span>
            <Button
              variant="subtle"
              size="compact-md"
              leftSection={<CheckAllIcon size={18} />}
              disabled={!hasUnseen}
              onClick={markAll}
            >
              <span className={classes.allLabel}>{t("inbox.acknowledgeAll")}</span>
            </Button>
          </div>
          <InboxFilters items={state.items}>
            <TextInput
              ref={searchField}
              type="search"
              aria-label={t("inbox.search")}
              placeholder={t("inbox.search")}
              leftSection={<SearchIcon size={16} />}
              value={words}
              onChange={(event) => setWords(event.currentTarget.value)}
              onKeyDown={(event) => event.key === "Escape" && (setWords(""), event.currentTarget.blur())}
            />
          </InboxFilters>
        </header>
        {state.status === "failed" && state.items.length === 0
          ? <FailedView title={t("inbox.failed")} error={state.error} onRetry={() => list.load()} />
          : state.status === "loading" && state.items.length === 0
          ? <InboxSkeleton />
          : items.length === 0
          ? <Nothing words={wanted} loaded={state.items.length} isFiltered={Object.keys(search).length > 0} />
          : <InboxListView key={JSON.stringify(search)} list={list} items={items} openId={openId} />}
        <NoticesOffer />
      </div>
    </Columns>
  );
}

interface NothingProps {
  readonly words: string;
  readonly loaded: number;
  readonly isFiltered: boolean;
}

function Nothing({ words, loaded, isFiltered }: NothingProps) {
  const navigate = useNavigate({ from: "/inbox" });
  const search = useSearch({ from: "/app/inbox" });
  const icon = <InboxIcon size={44} />;
  const clear = { label: t("inbox.clearFilters"), run: () => void navigate({ search: {} }) };
  if (words !== "" && loaded > 0) {
    return (
      <MessageView icon={icon} title={t("inbox.emptySearch", { count: loaded })} hint={t("inbox.emptySearchHint")} />
    );
  }
  if (!isFiltered) return <MessageView icon={icon} title={t("inbox.empty")} hint={t("inbox.emptyHint")} />;
  if (search.unseen && search.topic === undefined && search.from === undefined) {
    return <MessageView icon={icon} title={t("inbox.emptyUnseen")} hint={t("inbox.emptyUnseenHint")} />;
  }
  return <MessageView icon={icon} title={t("inbox.emptyFilter")} hint={t("inbox.emptyFilterHint")} action={clear} />;
}

function matches({ message, topic, from }: Notification, words: string): boolean {
  if (words === "") return true;
  return [message, topic.name, from.email].some((text) => text?.toLocaleLowerCase().includes(words));
}
