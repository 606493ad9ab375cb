/** The names of the pages: at the side, and in a narrow window below. */

import { Link } from "@tanstack/react-router";
import { useUnseenCount } from "../inbox/unseen.ts";
import { PAGES } from "../pages.ts";
import { t } from "../strings/strings.ts";
import classes from "./navigation.module.css";

const MOST_SHOWN = 99;

export function Navigation() {
  const unseen = useUnseenCount() ?? 0;
  return (
    <nav aria-label={t("app.navigation")} className={classes.navigation}>
      {PAGES.map(({ to, label, icon: Icon }) => (
        <Link key={to} to={to} className={classes.page} activeProps={{ "aria-current": "page" }}>
          <Icon />
          <span className={classes.label}>{t(label)}</span>
          {to === "/inbox" && unseen > 0 && (
            <span className={classes.count}>
              <span aria-hidden="true">{unseen > MOST_SHOWN ? `${MOST_SHOWN}+` : unseen}</span>
              <span className="visually-hidden">{t("inbox.unseenCount", { count: unseen })}</span>
            </span>
          )}
        </Link>
      ))}
    </nav>
  );
}
