/** The page's title, with how many notifications wait to be seen. */

import { useEffect } from "react";
import { Store } from "../data/store.ts";
import { t } from "../strings/strings.ts";

const page = new Store("");
let unseen = 0;

export function useTitle(title: string): void {
  useEffect(() => {
    page.set(title);
    show();
  }, [title]);
}

export function setUnseenInTitle(count: number): void {
  unseen = count;
  show();
}

function show(): void {
  const values = { page: page.get() || t("app.name"), count: unseen };
  document.title = t(unseen > 0 ? "app.titleUnseen" : "app.title", values);
}
