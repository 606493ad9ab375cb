/** How the system is, at a glance: every service with its instances, as the gateway that answers sees them. */

import { Title } from "@mantine/core";
import { errorText } from "../data/errors.ts";
import { useTitle } from "../shell/title.ts";
import { t } from "../strings/strings.ts";
import { CheckIcon, WarningIcon } from "../ui/icons.tsx";
import { FailedView } from "../ui/failed_view.tsx";
import { RelativeTime } from "../ui/relative_time.tsx";
import { Changes } from "./changes.tsx";
import { ConnectionCard } from "./connection_card.tsx";
import { ServiceCard } from "./service_card.tsx";
import { isWell, type ServiceView, useSystem } from "./system_data.ts";
import { SystemSkeleton } from "./system_skeleton.tsx";
import { TransactionsCard } from "./transactions_card.tsx";
import classes from "./system_page.module.css";

export function SystemPage() {
  const { data, error, isError, dataUpdatedAt, refetch } = useSystem();
  useTitle(t("system.title"));
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <Title order={1} size="h2">{t("system.title")}</Title>
        {data !== undefined && (
          <span className={classes.asOf}>
            {isError ? t("system.stale", { reason: errorText(error) }) : t("system.live")}{" "}
            {isError && <RelativeTime at={new Date(dataUpdatedAt).toISOString()} />}
          </span>
        )}
      </header>
      {data !== undefined
        ? (
          <>
            <Summary services={data.services} isStale={isError} />
            <div className={classes.cards}>
              {data.services.map((service) => <ServiceCard key={service.name} service={service} />)}
              <TransactionsCard transactions={data.transactions} />
              <ConnectionCard />
            </div>
            <Changes changes={data.schemaChanges} />
          </>
        )
        : isError
        ? <FailedView title={t("system.failed")} error={error} onRetry={() => refetch()} />
        : <SystemSkeleton />}
    </div>
  );
}

function Summary({ services, isStale }: { readonly services: readonly ServiceView[]; readonly isStale: boolean }) {
  const instances = services.flatMap((service) => service.instances);
  const ill = instances.filter((one) => !isWell(one)).length;
  const refused = services.filter(({ conflicts }) => conflicts.length > 0).length;
  const isGood = ill === 0 && refused === 0 && !isStale;
  return (
    <p className={classes.summary} data-good={isGood || undefined} role="status">
      {isGood ? <CheckIcon size={22} /> : <WarningIcon size={22} />}
      <span>
        {isStale
          ? t("system.unknown")
          : isGood
          ? t("system.allWell", { count: instances.length, services: services.length })
          : ill > 0
          ? t("system.ill", { count: ill, all: instances.length })
          : t("system.refusedTypes", { count: refused })}
      </span>
    </p>
  );
}
