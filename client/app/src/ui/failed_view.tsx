/** What stands in place of content that could not be loaded: why, and the way to try again. */

import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { WarningIcon } from "./icons.tsx";
import { MessageView } from "./message_view.tsx";

export interface FailedViewProps {
  readonly title: string;
  readonly error: unknown;
  readonly onRetry: () => unknown;
}

export function FailedView({ title, error, onRetry }: FailedViewProps) {
  return (
    <MessageView
      isAlert
      icon={<WarningIcon size={40} />}
      title={title}
      hint={errorText(error)}
      action={{ label: t("app.retry"), run: () => void onRetry() }}
    />
  );
}
