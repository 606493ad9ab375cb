/** Who is signed in, whether their address is confirmed, a new password, and the way out. */

import { Alert, Button, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { errorText } from "../data/errors.ts";
import { ask } from "../data/query_client.ts";
import { useStore } from "../data/store.ts";
import { leave } from "../session/leaving.ts";
import { requestPasswordReset, viewer } from "../session/session.ts";
import { showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";
import { Card } from "../ui/card.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { shortDate } from "../ui/relative_time.tsx";
import { accountQuery } from "./settings_data.ts";
import classes from "./settings_page.module.css";

export function AccountCard() {
  const person = useStore(viewer);
  const { data: account, error, refetch } = useQuery(accountQuery);
  const confirmation = useMail(() => ask("mutation { requestAddressConfirmation }"), "account.confirmSent");
  const reset = useMail(() => requestPasswordReset(person!.email), "account.resetSent");
  if (person === undefined) return null;
  return (
    <Card title={t("account.title")}>
      <div className={classes.person}>
        <PersonAvatar person={person} size={64} />
        <div className={classes.about}>
          <p className={classes.email}>
            <bdi>{person.email}</bdi>
          </p>
          {account
            ? (
              <>
                {account.createdAt !== null && (
                  <p className={classes.dimmed}>
                    {t("account.since", { date: shortDate(new Date(account.createdAt)) })}
                  </p>
                )}
                {account.sentCount !== null && (
                  <p className={classes.dimmed}>{t("account.sent", { count: account.sentCount })}</p>
                )}
              </>
            )
            : error
            ? <Text size="sm">{errorText(error)}</Text>
            : <Skeleton height={36} width="70%" mt={6} />}
        </div>
      </div>
      {account?.addressConfirmed === false && (
        <Alert color="yellow" mt="md" title={t("account.unconfirmed")}>
          <Text size="sm" mb="xs">{t("account.unconfirmedHint")}</Text>
          <Button size="compact-sm" variant="default" loading={confirmation.isBusy} onClick={confirmation.send}>
            {t("account.confirm")}
          </Button>
        </Alert>
      )}
      <div className={classes.actions}>
        {error !== null && <Button variant="light" onClick={() => void refetch()}>{t("app.retry")}</Button>}
        <Button variant="default" loading={reset.isBusy} onClick={reset.send}>{t("account.reset")}</Button>
        <Button variant="default" onClick={() => void leave()}>{t("user.signOut")}</Button>
      </div>
      <Text size="sm" c="dimmed" mt="xs">{t("account.resetHint")}</Text>
    </Card>
  );
}

/** Has a mail sent, and says so. */
function useMail(request: () => Promise<unknown>, done: "account.confirmSent" | "account.resetSent") {
  const [isBusy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    try {
      await request();
      showToast({ text: t(done) });
    } catch (error) {
      showToast({ isError: true, text: errorText(error), action: { label: t("app.retry"), run: () => void send() } });
    }
    setBusy(false);
  };
  return { isBusy, send: () => void send() };
}
