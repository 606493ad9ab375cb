/** How sending goes: a send is one transaction over several services. */

import { t } from "../strings/strings.ts";
import { RelativeTime } from "../ui/relative_time.tsx";
import { Figure } from "./figure.tsx";
import type { TransactionsView } from "./system_data.ts";
import classes from "./system_page.module.css";

/** By then all participants have confirmed what was decided, in milliseconds, where all is up. */
const SETTLES_MS = 15_000;

export function TransactionsCard({ transactions }: { readonly transactions: TransactionsView }) {
  const { running, committed, aborted, unconfirmed, unconfirmedSince, damaged } = transactions;
  const isLate = unconfirmedSince !== null && Date.now() - Date.parse(unconfirmedSince) > SETTLES_MS;
  const [tone, state] = damaged > 0
    ? ["bad", t("system.damaged", { count: damaged })] as const
    : unconfirmed === null
    ? ["middling", t("sent.unknown")] as const
    : isLate
    ? ["middling", t("system.late")] as const
    : ["good", t("system.settled")] as const;
  return (
    <section className={classes.card} aria-labelledby="transactions">
      <header className={classes.cardHead}>
        <h2 id="transactions" className={classes.heading}>{t("system.transactions")}</h2>
        <span className={classes.badge} data-tone={tone}>{state}</span>
      </header>
      <dl className={classes.figures}>
        <Figure label={t("system.running")}>{t("system.count", { count: running })}</Figure>
        <Figure label={t("system.unconfirmed")}>
          {unconfirmed === null ? t("sent.unknown") : t("system.count", { count: unconfirmed })}
          {isLate && (
            <>
              , <RelativeTime at={unconfirmedSince} bySecond />
            </>
          )}
        </Figure>
        <Figure label={t("system.committed")}>{t("system.count", { count: committed })}</Figure>
        <Figure label={t("system.aborted")}>{t("system.count", { count: aborted })}</Figure>
      </dl>
      <p className={classes.dim}>{t("system.transactionsMore")}</p>
    </section>
  );
}
