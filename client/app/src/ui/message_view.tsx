/** What stands in place of content: nothing there, or something wrong; always with what can be done. */

import { Button, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

export interface MessageViewProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly hint?: string;
  readonly action?: { readonly label: string; readonly run: () => void };
  /** Whether it is told to screen readers at once. */
  readonly isAlert?: boolean;
}

export function MessageView({ icon, title, hint, action, isAlert }: MessageViewProps) {
  return (
    <Stack align="center" justify="center" gap="xs" p="xl" mih={320} ta="center" role={isAlert ? "alert" : undefined}>
      <Text c="dimmed" component="span" lh={1}>{icon}</Text>
      <Title order={2} size="h4">{title}</Title>
      {hint !== undefined && <Text c="dimmed" maw={420}>{hint}</Text>}
      {action !== undefined && <Button variant="light" mt="sm" onClick={action.run}>{action.label}</Button>}
    </Stack>
  );
}
