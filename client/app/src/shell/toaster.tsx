/** Shows the toasts. One that is pointed at or has the focus stays. */

import { Button, CloseButton, Paper, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useStore } from "../data/store.ts";
import { t } from "../strings/strings.ts";
import { removeToast, type Toast, toasts } from "./toasts.ts";
import classes from "./toaster.module.css";

export function Toaster() {
  const all = useStore(toasts);
  return (
    <div className={classes.region} role="region" aria-label={t("toast.region")}>
      <div role="status" aria-live="polite" className={classes.list}>
        {all.map((toast) => <ToastView key={toast.id} toast={toast} />)}
      </div>
    </div>
  );
}

function ToastView({ toast: { id, text, action, isError, lastsMs } }: { readonly toast: Toast }) {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => removeToast(id), lastsMs);
    return () => clearTimeout(timer);
  }, [id, lastsMs, isHeld]);
  return (
    <Paper
      className={classes.toast}
      data-error={isError || undefined}
      shadow="lg"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Text size="sm" flex={1}>{text}</Text>
      {action !== undefined && (
        <Button
          size="compact-sm"
          variant="subtle"
          className={classes.action}
          onClick={() => {
            removeToast(id);
            action.run();
          }}
        >
          {action.label}
        </Button>
      )}
      <CloseButton size="sm" className={classes.action} aria-label={t("app.close")} onClick={() => removeToast(id)} />
    </Paper>
  );
}
