/** Signing out, from wherever there is a button for it: what waits to be told to the server is told before. */

import { codeOf, errorText } from "../data/errors.ts";
import { showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";
import { signOut } from "./session.ts";

export async function leave(anyway = false): Promise<void> {
  try {
    await signOut(anyway);
  } catch (error) {
    const isUnsent = codeOf(error) === "UNSENT";
    showToast({
      isError: true,
      text: errorText(error),
      action: { label: t(isUnsent ? "user.signOutAnyway" : "app.retry"), run: () => void leave(isUnsent) },
    });
  }
}
