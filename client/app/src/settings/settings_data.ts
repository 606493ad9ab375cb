/** What the page of settings asks, and what it changes about sessions. */

import { queryOptions } from "@tanstack/react-query";
import type * as api from "../../../lib/schema.ts";
import { errorText } from "../data/errors.ts";
import { ask, queryClient } from "../data/query_client.ts";
import { showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";

export interface Account {
  readonly email: string;
  readonly createdAt: string | null;
  readonly addressConfirmed: boolean | null;
  readonly sentCount: number | null;
}

export const accountQuery = queryOptions({
  queryKey: ["account"],
  queryFn: async () => (await ask<{ me: Account }>("{ me { email createdAt addressConfirmed sentCount } }")).me,
});

export type OpenSession = api.OpenSession;

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: async () =>
    (await ask<{ sessions: OpenSession[] }>("{ sessions { id startedAt expiresAt current } }")).sessions,
});

/** Ends one of them, or with none given all but this one. */
export async function endSessions(one?: OpenSession): Promise<void> {
  const { queryKey } = sessionsQuery;
  await queryClient.cancelQueries({ queryKey });
  const before = queryClient.getQueryData(queryKey);
  queryClient.setQueryData(queryKey, (all) => all?.filter(({ id, current }) => one ? id !== one.id : current));
  try {
    if (one) await ask("mutation ($id: ID!) { endSession(id: $id) }", { id: one.id });
    else await ask("mutation { endOtherSessions }");
    showToast({ text: t(one ? "sessions.ended" : "sessions.othersEnded") });
  } catch (error) {
    queryClient.setQueryData(queryKey, before);
    const action = { label: t("app.retry"), run: () => void endSessions(one) };
    showToast({ isError: true, text: t("sessions.notEnded", { reason: errorText(error) }), action });
  } finally {
    void queryClient.invalidateQueries({ queryKey });
  }
}
