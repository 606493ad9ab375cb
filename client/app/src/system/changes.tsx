/** How the API has changed since the gateway started. */

import { t } from "../strings/strings.ts";
import { RelativeTime } from "../ui/relative_time.tsx";
import type { ChangeView } from "./system_data.ts";
import classes from "./system_page.module.css";

export function Changes({ changes }: { readonly changes: readonly ChangeView[] }) {
  if (changes.length === 0) return null;
  return (
    <section className={classes.changes} aria-labelledby="changes">
      <h2 id="changes" className={classes.heading}>{t("system.changes")}</h2>
      <ul className={classes.list}>
        {changes.map(({ at, criticality, message }, index) => (
          <li key={index}>
            <span className={classes.badge} data-tone={criticality === "BREAKING" ? "bad" : "plain"}>
              {t(`system.change.${criticality}`)}
            </span>{" "}
            <code className={classes.code}>{message}</code> <RelativeTime at={at} className={classes.dim} />
          </li>
        ))}
      </ul>
    </section>
  );
}
