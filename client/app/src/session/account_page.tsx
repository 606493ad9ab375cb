/** What the pages for those who aren't signed in have in common: a card with one form. */

import { Alert, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import type { ChangeEvent, FormEvent, ReactNode } from "react";
import { t } from "../strings/strings.ts";
import { useTitle } from "../shell/title.ts";
import classes from "./account_page.module.css";

export interface AccountPageProps {
  readonly title: string;
  readonly lead: string;
  /** What is to be known before one fills in the form. */
  readonly notice?: ReactNode;
  readonly error: string | undefined;
  readonly onSubmit: (event: FormEvent) => void;
  readonly children: ReactNode;
  /** Below the form. */
  readonly links: ReactNode;
}

export function AccountPage({ title, lead, notice, error, onSubmit, children, links }: AccountPageProps) {
  useTitle(title);
  return (
    <main className={classes.page}>
      <Paper className={classes.card} withBorder shadow="sm">
        <p className={classes.brand}>
          <img src="/icon.svg" width={40} height={40} alt="" />
          {t("app.name")}
        </p>
        <Title order={1} size="h2" mt="lg">{title}</Title>
        <Text c="dimmed" mt={4}>{lead}</Text>
        {notice}
        {error !== undefined && <Alert mt="md" color="red" role="alert">{error}</Alert>}
        <form onSubmit={onSubmit} noValidate>
          <Stack mt="lg" gap="md">{children}</Stack>
        </form>
        {links}
      </Paper>
    </main>
  );
}

export interface EmailFieldProps {
  readonly value: string;
  /** What is wrong with it. */
  readonly error: ReactNode;
  readonly onChange: (value: string) => void;
}

export function EmailField({ value, error, onChange }: EmailFieldProps) {
  return (
    <TextInput
      label={t("signIn.email")}
      type="email"
      name="email"
      autoComplete="username"
      size="md"
      required
      withAsterisk={false}
      value={value}
      error={error}
      onChange={(event: ChangeEvent<HTMLInputElement>) => onChange(event.currentTarget.value)}
    />
  );
}
