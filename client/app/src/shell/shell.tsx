/** What stands around every page of somebody who is signed in: the pages' names, the account, and what is told over them all. */

import { Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { startReceiving } from "../inbox/inbox_data.ts";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { tellOfArrivals } from "../notices/notices.ts";
import { PAGES } from "../pages.ts";
import { t } from "../strings/strings.ts";
import { AccountMenu } from "./account_menu.tsx";
import { showBadge } from "./badge.ts";
import { ConnectionBanner } from "./connection_banner.tsx";
import { Navigation } from "./navigation.tsx";
import classes from "./shell.module.css";
import { Toaster } from "./toaster.tsx";

const HelpSheet = lazy(async () => ({ default: (await import("../keyboard/help_sheet.tsx")).HelpSheet }));

export function Shell() {
  const navigate = useNavigate();
  useEffect(startReceiving, []);
  useEffect(showBadge, []);
  useEffect(() => {
    // After the first page: it isn't needed for that. Where it can't be loaded, the page of what was sent says so.
    import("../compose/outgoing.ts").then(({ resumeSending }) => resumeSending(), () => {});
  }, []);
  useEffect(
    () => tellOfArrivals((id) => void navigate({ to: "/inbox/$notificationId", params: { notificationId: id } })),
    [navigate],
  );
  const [isHelping, setHelping] = useState(false);
  const help = () => setHelping(true);
  useShortcuts([
    ...PAGES.map(({ to, label, key }) => ({ keys: `g ${key}`, label, run: () => void navigate({ to }) })),
    { keys: "?", label: "keys.help", run: help },
  ]);
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">{t("app.skip")}</a>
      <div className={classes.side}>
        <div className={classes.brand}>
          <img src="/icon.svg" width={28} height={28} alt="" />
          <span className={classes.name}>{t("app.name")}</span>
        </div>
        <Navigation />
        <AccountMenu onHelp={help} />
      </div>
      <div className={classes.main}>
        <ConnectionBanner />
        <main id="content" tabIndex={-1} className={classes.content}>
          <Outlet />
        </main>
      </div>
      <Toaster />
      {isHelping && (
        <Suspense>
          <HelpSheet onClose={() => setHelping(false)} />
        </Suspense>
      )}
    </div>
  );
}
