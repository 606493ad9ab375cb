/** Says that the connection is lost, and when it is back, what was caught up on. */

import { useEffect, useState } from "react";
import { notifyx } from "../data/notifyx.ts";
import { t } from "../strings/strings.ts";
import { OfflineIcon } from "../ui/icons.tsx";
import classes from "./connection_banner.module.css";
import { showToast } from "./toasts.ts";

/** A connection that is back within this time isn't worth a word, in milliseconds. */
const WORTH_A_WORD_MS = 1_500;

export function ConnectionBanner() {
  const isLost = useIsLost();
  return (
    <div role="status" aria-live="polite">
      {isLost && (
        <div className={classes.banner}>
          <OfflineIcon size={18} />
          {t("connection.lost")}
        </div>
      )}
    </div>
  );
}

function useIsLost(): boolean {
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wasTold = false;
    const follow = notifyx().connection.subscribe(({ state }) => {
      if (state === "lost") {
        timer ??= setTimeout(() => setLost(wasTold = true), WORTH_A_WORD_MS);
      } else if (state === "open") {
        clearTimeout(timer);
        timer = undefined;
        setLost(false);
      }
    });
    const caughtUp = notifyx().on("caughtUp", ({ count }) => {
      if (wasTold) showToast({ text: t("connection.back", { count }) });
      wasTold = false;
    });
    return () => {
      clearTimeout(timer);
      follow();
      caughtUp();
    };
  }, []);
  return isLost;
}
