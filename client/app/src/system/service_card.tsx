/** One service: whether it is well in one word, then each of its instances with its own figures and its page for people. */

import { Anchor } from "@mantine/core";
import { LOCALE, t } from "../strings/strings.ts";
import { OpenIcon } from "../ui/icons.tsx";
import { RelativeTime } from "../ui/relative_time.tsx";
import { type InstanceView, isWell, type ServiceView } from "./system_data.ts";
import { Figure } from "./figure.tsx";
import classes from "./system_page.module.css";

const number = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });

export function ServiceCard({ service: { name, instances, conflicts } }: { readonly service: ServiceView }) {
  const ill = instances.filter((one) => !isWell(one)).length;
  return (
    <section className={classes.card} aria-labelledby={`service-${name}`}>
      <header className={classes.cardHead}>
        <h2 id={`service-${name}`} className={classes.heading}>{name}</h2>
        <span className={classes.badge} data-tone={ill === 0 ? "good" : "bad"}>
          {ill === 0
            ? t("system.well", { count: instances.length })
            : t("system.someIll", { count: ill, all: instances.length })}
        </span>
      </header>
      {conflicts.length > 0 && <p className={classes.conflict}>{t("system.conflict", { why: conflicts.join("; ") })}
      </p>}
      <ul className={classes.list}>
        {instances.map((one) => <Instance key={one.id} one={one} />)}
      </ul>
    </section>
  );
}

function Instance({ one }: { readonly one: InstanceView }) {
  const { url, startedAt, lastHeartbeatAt, version, calls, errors, p50Ms, p99Ms } = one;
  return (
    <li className={classes.instance}>
      <p className={classes.instanceHead}>
        <Anchor href={`${url}/dashboard`} target="_blank" rel="noopener noreferrer" className={classes.link}>
          {new URL(url).host}
          <OpenIcon size={14} />
          <span className="visually-hidden">{t("system.dashboard")}</span>
        </Anchor>
        <State one={one} />
      </p>
      <dl className={classes.figures}>
        <Figure label={t("system.started")}>
          <RelativeTime at={startedAt} />
        </Figure>
        <Figure label={t("system.heartbeat")}>
          <RelativeTime at={lastHeartbeatAt} bySecond />
        </Figure>
        {version !== null && <Figure label={t("system.version")}>{version}</Figure>}
        <Figure label={t("system.calls")}>{t("system.callsOf", { calls, errors })}</Figure>
        <Figure label={t("system.times")}>
          {p50Ms === null || p99Ms === null
            ? t("system.noTimes")
            : t("system.timesOf", { half: number.format(p50Ms), most: number.format(p99Ms) })}
        </Figure>
      </dl>
    </li>
  );
}

function State({ one }: { readonly one: InstanceView }) {
  const { health, breaker } = one;
  const tone = isWell(one) ? "good" : health === "DOWN" || breaker === "OPEN" ? "bad" : "middling";
  return (
    <span className={classes.badge} data-tone={tone}>
      {t(`system.health.${health}`)} · {t(`system.breaker.${breaker}`)}
    </span>
  );
}
