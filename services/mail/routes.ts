/** Mail's route for the other services: `POST /api/mails` makes mails durable. The same id again is ignored, so a sender may repeat. */

import { allowMember, type App, readJson } from "../../kit/http.ts";
import type { Emails } from "./emails.ts";
import { checkData, MAILS } from "./mails.ts";

export function addMailRoutes(app: App, emails: Emails, secret: string): void {
  app.post("/api/mails", async (c) => {
    allowMember(c, secret);
    const { mails } = await readJson(c, MAILS);
    checkData(mails);
    if (mails.length > 0) await emails.accept(mails);
    return c.json({});
  });
}
