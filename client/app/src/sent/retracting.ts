/**
 * Taking back what was sent. On the page it is gone at once; the server is told some seconds later, or when the page is left, and until
 * then it can be undone. Where the server then refuses, it is there again, and the page says so.
 */

import { errorText } from "../data/errors.ts";
import { ask } from "../data/query_client.ts";
import { sendLast } from "../data/send_last.ts";
import { Store } from "../data/store.ts";
import { beforeSignOut } from "../session/session.ts";
import { removeToast, showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";
import { removeSent } from "./sent_data.ts";

interface Retraction {
  readonly id: string;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly toast: number;
}

/** How long it can be undone, in milliseconds. */
const UNDO_MS = 6_000;
const RETRACT = "mutation ($id: ID!) { retractNotification(id: $id) }";

/** Those that the page doesn't show any more. The array is a new one at each change. */
export const retractions = new Store<readonly Retraction[]>([]);
/** Those of which the server was told. */
const told = new Set<string>();

export function retract(id: string): void {
  if (retractions.get().some((one) => one.id === id)) return;
  const timer = setTimeout(() => void tell(id), UNDO_MS);
  const toast = showToast({
    text: t("sent.retracted"),
    lastsMs: UNDO_MS,
    action: { label: t("inbox.undo"), run: () => undo(id) },
  });
  retractions.set([...retractions.get(), { id, timer, toast }]);
}

beforeSignOut(() => Promise.all(retractions.get().map(({ id }) => tell(id))));

function undo(id: string): void {
  if (told.has(id)) return;
  end(id);
  showToast({ text: t("sent.retractUndone"), lastsMs: 2_000 });
}

async function tell(id: string): Promise<void> {
  if (told.has(id)) return;
  told.add(id);
  try {
    await ask(RETRACT, { id });
    removeSent(id);
  } catch (error) {
    showToast({
      isError: true,
      text: t("sent.retractFailed", { reason: errorText(error) }),
      action: { label: t("app.retry"), run: () => retract(id) },
    });
  }
  told.delete(id);
  end(id);
}

function end(id: string): void {
  const found = retractions.get().find((one) => one.id === id);
  clearTimeout(found?.timer);
  if (found !== undefined) removeToast(found.toast);
  retractions.set(retractions.get().filter((one) => one.id !== id));
}

addEventListener("pagehide", () => {
  for (const { id } of retractions.get()) {
    if (!told.has(id)) sendLast(RETRACT, { id });
  }
});
