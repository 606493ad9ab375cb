/** Topics: those one is subscribed to, one's own, and all that one may see, found by their names. */

import { Button, TextInput, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { useTitle } from "../shell/title.ts";
import { t } from "../strings/strings.ts";
import { Choices } from "../ui/choices.tsx";
import { PlusIcon, SearchIcon, TopicIcon } from "../ui/icons.tsx";
import { FailedView } from "../ui/failed_view.tsx";
import { MessageView } from "../ui/message_view.tsx";
import { ListEnd } from "./list_end.tsx";
import { TopicForm } from "./topic_form.tsx";
import { TopicRow } from "./topic_row.tsx";
import { topicsQuery } from "./topics_data.ts";
import { SHOWN, type Shown } from "./topics_search.ts";
import { TopicsSkeleton } from "./topics_skeleton.tsx";
import classes from "./topics_page.module.css";

/** Typing pauses for so long before the server is asked, in milliseconds. */
const TYPING_MS = 250;

export function TopicsPage() {
  const { show = "joined", search = "", create } = useSearch({ from: "/app/topics" });
  const navigate = useNavigate({ from: "/topics" });
  const field = useRef<HTMLInputElement>(null);
  const topics = useInfiniteQuery(topicsQuery(show, search));
  useTitle(t("topics.title"));

  const goTo = (change: { show?: Shown; search?: string; create?: true }, replace = false) =>
    void navigate({
      search: (before) => {
        const { show, search, create } = { ...before, ...change };
        return {
          ...show === "mine" || show === "all" ? { show } : {},
          ...search ? { search } : {},
          ...create ? { create } : {},
        };
      },
      replace,
    });
  const [words, setWords] = useTyped(search, (search) => goTo({ search }, true));
  const openForm = () => goTo({ create: true });
  useShortcuts([
    { keys: "/", label: "keys.search", run: () => field.current?.focus() },
    { keys: "n", label: "topics.create", run: openForm },
  ]);

  const items = topics.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <div className={classes.titleRow}>
          <Title order={1} size="h2" className={classes.title}>{t("topics.title")}</Title>
          <Button leftSection={<PlusIcon size={18} />} onClick={openForm}>{t("topics.create")}</Button>
        </div>
        <div className={classes.filters}>
          <Choices
            label={t("topics.which")}
            value={show}
            choices={SHOWN.map((value) => ({ value, label: t(`topics.show.${value}`) }))}
            onChange={(show) => goTo({ show, search: words.trim() })}
          />
          <TextInput
            ref={field}
            className={classes.search}
            type="search"
            aria-label={t("topics.search")}
            placeholder={t("topics.search")}
            leftSection={<SearchIcon size={16} />}
            maxLength={100}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
        </div>
      </header>
      {topics.isPending
        ? <TopicsSkeleton />
        : topics.isError && items.length === 0
        ? <FailedView title={t("topics.failed")} error={topics.error} onRetry={() => topics.refetch()} />
        : items.length === 0
        ? <Nothing show={show} search={search} onCreate={openForm} onFind={() => goTo({ show: "all" })} />
        : (
          <div className={classes.list}>
            <ul aria-label={t(`topics.show.${show}`)}>
              {items.map((topic) => <TopicRow key={topic.id} topic={topic} />)}
            </ul>
            <ListEnd query={topics} />
          </div>
        )}
      {create && <TopicForm onClose={() => goTo({ create: undefined }, true)} />}
    </div>
  );
}

/** What is being typed, told once typing pauses; follows the address when that changes otherwise, as by going back. */
function useTyped(value: string, tell: (value: string) => void): [string, (value: string) => void] {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setTyped(value);
  }, [value]);
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === told.current) return;
    const timer = setTimeout(() => {
      told.current = wanted;
      tell(wanted);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return [typed, setTyped];
}

interface NothingProps {
  readonly show: Shown;
  readonly search: string;
  readonly onCreate: () => void;
  readonly onFind: () => void;
}

function Nothing({ show, search, onCreate, onFind }: NothingProps) {
  const icon = <TopicIcon size={44} />;
  const create = { label: t("topics.create"), run: onCreate };
  const find = { label: t("topics.findOthers"), run: onFind };
  if (search !== "") {
    return (
      <MessageView
        icon={icon}
        title={t("topics.nothingFound", { search })}
        hint={t(show === "all" ? "topics.nothingFoundAllHint" : "topics.nothingFoundHint")}
        action={show === "all" ? create : find}
      />
    );
  }
  if (show === "joined") {
    return <MessageView icon={icon} title={t("topics.noneJoined")} hint={t("topics.noneJoinedHint")} action={find} />;
  }
  return (
    <MessageView
      icon={icon}
      title={t(show === "mine" ? "topics.noneMine" : "topics.none")}
      hint={t("topics.noneMineHint")}
      action={create}
    />
  );
}
