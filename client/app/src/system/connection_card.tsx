/** This page's own connection to the gateway, and what waits for it. */

import { useSyncExternalStore } from "react";
import { notifyx } from "../data/notifyx.ts";
import { t } from "../strings/strings.ts";
import { RelativeTime } from "../ui/relative_time.tsx";
import { Figure } from "./figure.tsx";
import classes from "./system_page.module.css";

export function ConnectionCard() {
  const { connection, sending } = notifyx();
  const { state, since, reason } = useSyncExternalStore(
    (listener) => connection.subscribe(listener),
    () => connection.value,
  );
  const waiting = useSyncExternalStore((listener) => sending.subscribe(listener), () => sending.value);
  return (
    <section className={classes.card} aria-labelledby="own-connection">
      <header className={classes.cardHead}>
        <h2 id="own-connection" className={classes.heading}>{t("system.connection")}</h2>
        <span
          className={classes.badge}
          data-tone={state === "open" ? "good" : state === "lost" ? "bad" : "middling"}
        >
          {t(`system.connection.${state}`)}
        </span>
      </header>
      <dl className={classes.figures}>
        <Figure label={t("system.since")}>
          <RelativeTime at={new Date(since).toISOString()} />
        </Figure>
        <Figure label={t("system.sending")}>{t("system.count", { count: waiting })}</Figure>
      </dl>
      {state !== "open" && reason !== undefined && <p className={classes.conflict}>{reason}</p>}
    </section>
  );
}
