/** Mail's part of the status page: the queue, the nodes, and the dead letters, each with its reason and a button that sends it again. */

import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { allowPageAction, pageAction } from "../../kit/page_actions.ts";
import type { Service } from "../../kit/service.ts";
import { SECOND } from "../../kit/time.ts";
import type { Emails } from "./emails.ts";
import type { MailOverview } from "./overview.ts";

/** How many dead letters are shown. */
const MOST_SHOWN = 50;

export function addConsole({ app, secret, dashboard }: Service, emails: Emails, overview: MailOverview): void {
  dashboard.hasButtons = true;
  dashboard.sections.push(
    async () => {
      const { waiting, sending, oldestSeconds } = await overview.depth();
      return {
        title: "Mail queue",
        columns: ["waiting", "being sent", "oldest"],
        rows: [[waiting, sending, waiting + sending === 0 ? "" : `${Math.round(oldestSeconds)} s`]],
      };
    },
    async () => ({
      title: "Mail nodes",
      columns: ["node", "sending", "sent", "failed", "since", "heard of"],
      rows: (await overview.nodes()).map(({ url, running, capacity, sent, failed, startedAt, lastHeartbeatAt }) => [
        url,
        `${running} of ${capacity}`,
        sent,
        failed,
        startedAt.toISOString(),
        `${Math.max(0, Math.round((Date.now() - lastHeartbeatAt.getTime()) / SECOND))} s ago`,
      ]),
    }),
    async () => ({
      title: "Dead letters",
      columns: ["mail", "to", "kind", "attempts", "ended", "why", ""],
      rows: (await overview.failed(MOST_SHOWN)).map(({ id, to, template, attempts, endedAt, error }) => [
        id,
        to,
        template,
        attempts,
        endedAt.toISOString(),
        error ?? "",
        pageAction("send again", `/dashboard/mails/${id}/retry`, secret),
      ]),
    }),
  );

  app.post("/dashboard/mails/:id/retry", async (c) => {
    await allowPageAction(c, secret);
    const id = c.req.param("id");
    const retried = isUuid(id) && await emails.retry(id);
    if (!retried) throw new UserError("NOT_FOUND", "no mail with this id has failed");
    return c.redirect("/dashboard", 303);
  });
}
