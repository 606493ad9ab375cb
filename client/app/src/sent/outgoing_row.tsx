/** What isn't sent yet: on its way, waiting for a connection, or refused, with what can be done then. */

import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { discard, edit, type Outgoing, sendAgain } from "../compose/outgoing.ts";
import { useIsConnected } from "../compose/use_is_connected.ts";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import classes from "./sent_row.module.css";

export function OutgoingRow({ one }: { readonly one: Outgoing }) {
  const isConnected = useIsConnected();
  const navigate = useNavigate();
  const { draft, topicName, error } = one;
  return (
    <li className={classes.row}>
      <div className={classes.text}>
        <p className={classes.head}>
          <span className={classes.topic}>{topicName}</span>
        </p>
        <p className={classes.message} dir="auto">{draft.message}</p>
      </div>
      {error === undefined
        ? (
          <span className={classes.waiting} role="status">
            {t(isConnected ? "sent.sending" : "sent.waiting")}
          </span>
        )
        : (
          <>
            <span className={classes.failed}>{t("sent.notSent", { reason: errorText(error) })}</span>
            <span className={classes.actions}>
              <Button size="compact-sm" onClick={() => sendAgain(one)}>{t("app.retry")}</Button>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => {
                  edit(one);
                  void navigate({ to: "/compose", search: { topic: draft.topicId } });
                }}
              >
                {t("sent.edit")}
              </Button>
              <Button size="compact-sm" variant="subtle" color="red" onClick={() => discard(one)}>
                {t("sent.discard")}
              </Button>
            </span>
          </>
        )}
    </li>
  );
}
