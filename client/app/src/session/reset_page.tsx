/** Asking for a link to choose a new password. The answer is the same whether anyone has that address, so that nobody is told who has one. */

import { Alert, Anchor, Button, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { AccountPage, EmailField } from "./account_page.tsx";
import { requestPasswordReset } from "./session.ts";

export function ResetPage() {
  const [email, setEmail] = useState("");
  const [isWrong, setWrong] = useState(false);
  const [error, setError] = useState<string>();
  const [asked, setAsked] = useState<string>();
  const [isBusy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const wrong = !email.includes("@");
    setWrong(wrong);
    setError(undefined);
    if (wrong) return;
    setBusy(true);
    try {
      await requestPasswordReset(email);
      setAsked(email);
    } catch (error) {
      setError(errorText(error));
    }
    setBusy(false);
  }

  return (
    <AccountPage
      title={t("reset.title")}
      lead={t("reset.lead")}
      notice={
        <div role="status">
          {asked !== undefined && <Alert mt="md" color="green">{t("reset.asked", { email: asked })}</Alert>}
        </div>
      }
      error={error}
      onSubmit={submit}
      links={
        <Text mt="lg" ta="center">
          <Anchor component={Link} to="/sign-in">{t("reset.toSignIn")}</Anchor>
        </Text>
      }
    >
      <EmailField
        value={email}
        error={isWrong && t("register.emailWrong")}
        onChange={(email) => {
          setEmail(email);
          setAsked(undefined);
        }}
      />
      <Button type="submit" size="md" fullWidth loading={isBusy} disabled={asked !== undefined}>
        {t("reset.submit")}
      </Button>
    </AccountPage>
  );
}
