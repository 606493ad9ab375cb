/**
 * The list itself: of however many there are only those in view are in the page, each of the same height. What arrives goes in above
 * without moving what is being read; a button says how many, and goes there.
 */

import { Button, Loader } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Notification } from "../../../lib/mod.ts";
import { useStore } from "../data/store.ts";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { t } from "../strings/strings.ts";
import { CheckIcon, UpIcon } from "../ui/icons.tsx";
import { acknowledge, isSeen } from "./acknowledging.ts";
import type { InboxList } from "./inbox_list_data.ts";
import { InboxRow } from "./inbox_row.tsx";
import classes from "./inbox_list_view.module.css";

export interface InboxListViewProps {
  readonly list: InboxList;
  /** Those of the list that are to be shown. */
  readonly items: readonly Notification[];
  /** The one that is shown whole. */
  readonly openId?: string;
}

/** Of a row, in units of the font's size, so that who wants larger text gets larger rows. */
const ROW_REM = 5.25;
const OVERSCAN = 6;
/** More are loaded when so many are left below. */
const LOAD_AHEAD = 30;

export function InboxListView({ list, items, openId }: InboxListViewProps) {
  const search = useSearch({ from: "/app/inbox" });
  const navigate = useNavigate();
  const { hasMore, more, turn } = useStore(list.state);
  const scroller = useRef<HTMLDivElement>(null);
  const [rowHeight] = useState(() => ROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize));
  const [activeId, setActiveId] = useState<string>();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [above, setAbove] = useState(0);
  const newest = useRef(items[0]?.id);
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    // Another function would have all of them measured anew, at each scroll.
    getItemKey: useCallback((index: number) => items[index]!.id, [items]),
    overscan: OVERSCAN,
  });
  const rows = virtualizer.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;

  useEffect(() => {
    if (last >= items.length - LOAD_AHEAD && more === "idle") void list.loadMore();
  }, [last, items.length, more, list]);

  const begin = rows[0]?.index ?? 0;
  useEffect(() => void list.look(items.slice(begin, last + 1)), [list, items, begin, last, turn]);

  // What is being read stays where it is.
  useLayoutEffect(() => {
    const added = items.findIndex(({ id }) => id === newest.current);
    newest.current = items[0]?.id;
    const element = scroller.current;
    if (added <= 0 || element === null || element.scrollTop < rowHeight / 2) return;
    element.scrollTop += added * rowHeight;
    setAbove((before) => before + added);
  }, [items, rowHeight]);

  const activeIndex = items.findIndex(({ id }) => id === (openId ?? activeId));
  const open = (notificationId: string, replace = false) =>
    void navigate({ to: "/inbox/$notificationId", params: { notificationId }, search, replace });
  const select = useCallback((id: string) =>
    setSelected((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    }), []);
  const chosen = items.filter(({ id }) => selected.has(id));
  const acknowledgeChosen = () => {
    acknowledge(chosen.length > 0 ? chosen : items.slice(activeIndex, activeIndex + 1));
    setSelected(new Set());
  };
  const goTo = (index: number) => {
    const item = items[Math.min(Math.max(index, 0), items.length - 1)];
    if (item === undefined) return;
    setActiveId(item.id);
    virtualizer.scrollToIndex(items.indexOf(item), { align: "auto" });
    if (openId !== undefined) return open(item.id, true);
    // It may not be in the page before it was scrolled to.
    requestAnimationFrame(() => document.getElementById(`notification-${item.id}`)?.focus());
  };
  const toTop = () => {
    scroller.current?.scrollTo({ top: 0 });
    setAbove(0);
  };
  useShortcuts([
    { keys: "j", label: "keys.next", run: () => goTo(activeIndex + 1) },
    { keys: "k", label: "keys.previous", run: () => goTo(activeIndex < 0 ? 0 : activeIndex - 1) },
    { keys: "e", label: "keys.acknowledge", run: acknowledgeChosen },
    { keys: "x", label: "keys.select", run: () => items[activeIndex] && select(items[activeIndex].id) },
    { keys: "o", label: "keys.open", run: () => items[activeIndex] && open(items[activeIndex].id) },
  ]);

  return (
    <div className={classes.frame}>
      {chosen.length > 0 && (
        <div className={classes.chosen} role="toolbar" aria-label={t("inbox.selected", { count: chosen.length })}>
          <span className={classes.count}>{t("inbox.selected", { count: chosen.length })}</span>
          <Button size="compact-sm" leftSection={<CheckIcon size={16} />} onClick={acknowledgeChosen}>
            {t("inbox.acknowledge")}
          </Button>
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() =>
              setSelected(new Set())}
          >
            {t("inbox.unselect")}
          </Button>
        </div>
      )}
      {above > 0 && (
        <Button
          className={classes.above}
          size="compact-sm"
          radius="xl"
          leftSection={<UpIcon size={14} />}
          onClick={toTop}
        >
          {t("inbox.new", { count: above })}
        </Button>
      )}
      <div
        ref={scroller}
        className={classes.scroller}
        onScroll={({ currentTarget }) => above > 0 && currentTarget.scrollTop < rowHeight && setAbove(0)}
      >
        <div
          role="feed"
          aria-label={t("inbox.list")}
          aria-busy={more === "loading"}
          className={classes.feed}
          style={{ blockSize: virtualizer.getTotalSize() }}
        >
          {rows.map(({ index, key, start, size }) => {
            const item = items[index]!;
            return (
              <InboxRow
                key={key}
                item={item}
                search={search}
                isOpen={item.id === openId}
                isSelected={selected.has(item.id)}
                isSeen={isSeen(item)}
                isActive={item.id === activeId}
                isFocusable={item.id === activeId || (activeIndex < 0 && index === 0)}
                position={index + 1}
                total={hasMore ? -1 : items.length}
                top={start}
                height={size}
                onActive={setActiveId}
                onSelect={select}
              />
            );
          })}
        </div>
        <div className={classes.end}>
          {more === "loading" && <Loader size="sm" aria-label={t("app.loading")} />}
          {more === "failed" && (
            <>
              {t("inbox.moreFailed")}
              <Button variant="subtle" size="compact-sm" onClick={() => void list.loadMore()}>{t("app.retry")}</Button>
            </>
          )}
        </div>
      </div>
    </div>
  );
}
