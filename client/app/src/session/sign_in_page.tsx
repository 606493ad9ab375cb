/** Signing in, and at `/register` signing up: the same form. */

import { Alert, Anchor, Button, PasswordInput, Text } from "@mantine/core";
import { Link, useLocation, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { AccountPage, EmailField } from "./account_page.tsx";
import { signIn } from "./session.ts";

const LEAST_PASSWORD = 8;

export function SignInPage() {
  const isRegister = useLocation({ select: ({ pathname }) => pathname === "/register" });
  const { to, ended } = useSearch({ strict: false });
  const navigate = useNavigate();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string>();
  const [wrong, setWrong] = useState<{ email?: string; password?: string }>({});
  const [isBusy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const faults = {
      ...email.includes("@") ? {} : { email: t("register.emailWrong") },
      ...isRegister && password.length < LEAST_PASSWORD ? { password: t("register.passwordShort") } : {},
    };
    setWrong(faults);
    setError(undefined);
    if (Object.keys(faults).length > 0) return;
    setBusy(true);
    try {
      await signIn(isRegister ? "register" : "login", email, password);
      await navigate({ href: isOurs(to) ? to : "/inbox", replace: true });
    } catch (error) {
      setError(errorText(error));
      setBusy(false);
    }
  }

  return (
    <AccountPage
      title={t(isRegister ? "register.title" : "signIn.title")}
      lead={t("signIn.lead")}
      notice={ended && !error && <Alert mt="md" color="yellow" role="status">{t("signIn.ended")}</Alert>}
      error={error}
      onSubmit={submit}
      links={
        <>
          {!isRegister && (
            <Text mt="lg" ta="center">
              <Anchor component={Link} to="/forgotten-password">{t("signIn.toReset")}</Anchor>
            </Text>
          )}
          <Text mt={isRegister ? "lg" : "xs"} ta="center">
            <Anchor component={Link} to={isRegister ? "/sign-in" : "/register"} search={{ to } as never}>
              {t(isRegister ? "register.toSignIn" : "signIn.toRegister")}
            </Anchor>
          </Text>
        </>
      }
    >
      <EmailField value={email} error={wrong.email} onChange={setEmail} />
      <PasswordInput
        label={t("signIn.password")}
        description={isRegister ? t("signIn.passwordHint") : undefined}
        name="password"
        autoComplete={isRegister ? "new-password" : "current-password"}
        size="md"
        required
        withAsterisk={false}
        value={password}
        error={wrong.password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" size="md" fullWidth loading={isBusy} mt="xs">
        {t(isRegister ? "register.submit" : "signIn.submit")}
      </Button>
    </AccountPage>
  );
}

/** Whether it is an address of this app: it comes from the address bar. */
function isOurs(to: string | undefined): to is string {
  return to !== undefined && to.startsWith("/") && URL.parse(to, location.origin)?.origin === location.origin;
}
