/**
 * Keys that do something on a page, and the list of them for the help sheet. They are silent while one types, while a dialog is open, and
 * where they were turned off (WCAG 2.1.4: who speaks to the machine may not want letters to act).
 */

import { useEffect, useRef } from "react";
import { Store } from "../data/store.ts";
import type { TextKey } from "../strings/strings.ts";

export interface Shortcut {
  /** As `KeyboardEvent.key` has it, or two of them with a space between: `g i`. */
  readonly keys: string;
  readonly label: TextKey;
  readonly run: () => void;
}

const KEPT_AS = "notifyx:shortcuts";
/** The second key of two comes within this time, in milliseconds. */
const SECOND_KEY_MS = 1_000;

export const shortcuts = new Store<readonly Shortcut[]>([]);
export const shortcutsOn = new Store(localStorage.getItem(KEPT_AS) !== "off");

export function turnShortcuts(on: boolean): void {
  localStorage.setItem(KEPT_AS, on ? "on" : "off");
  shortcutsOn.set(on);
}

/** These keys work while the component is there; their order is that of the help sheet. */
export function useShortcuts(given: readonly Shortcut[]): void {
  const latest = useRef(given);
  useEffect(() => {
    latest.current = given;
  });
  useEffect(() => {
    const mine = latest.current.map(({ keys, label }, index): Shortcut => ({
      keys,
      label,
      run: () => latest.current[index]?.run(),
    }));
    shortcuts.set([...shortcuts.get(), ...mine]);
    return () => shortcuts.set(shortcuts.get().filter((one) => !mine.includes(one)));
  }, []);
}

let first: { key: string; at: number } | undefined;

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!shortcutsOn.get() || isTyping(event.target) || document.querySelector("[role=dialog],[role=menu]")) return;
  const { key, timeStamp: at } = event;
  const both = first !== undefined && at - first.at < SECOND_KEY_MS ? `${first.key} ${key}` : undefined;
  first = { key, at };
  // The latest first: a page's own before the shell's.
  const all = shortcuts.get().toReversed();
  const found = all.find(({ keys }) => keys === both) ?? all.find(({ keys }) => keys === key);
  if (found === undefined) return;
  first = undefined;
  event.preventDefault();
  found.run();
});

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio])"));
}
