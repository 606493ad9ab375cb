/** One thing whole, beside the list that it is of; in a narrow window in its place. */

import { ActionIcon } from "@mantine/core";
import type { ReactNode } from "react";
import { t } from "../strings/strings.ts";
import { CloseIcon } from "./icons.tsx";
import classes from "./panel.module.css";

export function Panel({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return <section className={classes.panel} aria-label={label}>{children}</section>;
}

export interface WholeProps {
  readonly onClose: () => void;
  /** What is done with it, beside the button that closes it. */
  readonly action: ReactNode;
  readonly children: ReactNode;
}

export function Whole({ onClose, action, children }: WholeProps) {
  return (
    <article className={classes.whole}>
      <div className={classes.actions}>
        <ActionIcon variant="subtle" size="lg" aria-label={t("app.close")} onClick={onClose}>
          <CloseIcon size={18} />
        </ActionIcon>
        {action}
      </div>
      {children}
    </article>
  );
}

/** Until it is loaded. */
export function Waiting({ children }: { readonly children: ReactNode }) {
  return <div className={classes.whole} role="status" aria-label={t("app.loading")}>{children}</div>;
}
