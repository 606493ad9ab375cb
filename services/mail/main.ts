/**
 * Mail: accepts mails, and sends each at least once, whatever dies. Starts the service, which reads: mails.ts (what is accepted), emails.ts
 * (where it is kept), queue.ts (whose turn it is), sender.ts (an attempt), transport.ts (the SMTP server), outcome.ts (what comes of it).
 */

import { Addresses } from "../../kit/addresses.ts";
import { COMMON_SETTINGS, DATABASE_SETTINGS, readConfig } from "../../kit/config.ts";
import { databaseUrl } from "../../kit/database.ts";
import { runService } from "../../kit/service.ts";
import sdl from "../../schema/mail.graphql" with { type: "text" };
import { addConsole } from "./console.ts";
import { Emails } from "./emails.ts";
import { MAIL_FIGURES } from "./figures.ts";
import { addInboxRoutes } from "./inbox/routes.ts";
import { LiveEmails } from "./live_emails.ts";
import { measureQueue } from "./metrics.ts";
import { migrations } from "./migrations/mod.ts";
import { MailNode } from "./node.ts";
import { MailOverview } from "./overview.ts";
import { mailResolvers } from "./resolvers.ts";
import { addMailRoutes } from "./routes.ts";
import { INBOX_HOST, INBOX_PORT_OFFSET, MAIL_SETTINGS, mailFaults } from "./settings.ts";
import { Upkeep } from "./upkeep.ts";

const config = readConfig({ ...COMMON_SETTINGS, ...DATABASE_SETTINGS, ...MAIL_SETTINGS }, mailFaults);

await runService({
  name: "mail",
  config,
  async setUp(service) {
    const { app, directory, secret, log } = service;
    const sql = await service.database(config, migrations);
    const receives = config.NOTIFYX_SMTP_URL === undefined;
    if (receives) {
      // Only where mails come here: it brings 40 MB with it.
      const { DevelopmentInbox } = await import("./inbox/development_inbox.ts");
      const port = config.NOTIFYX_BASE_PORT + INBOX_PORT_OFFSET;
      const inbox = new DevelopmentInbox({ sql, host: INBOX_HOST, port, log });
      await inbox.start();
      // Before the node, so that it stops after what the node itself still sends to it.
      service.onStop("the development inbox", () => inbox.stop());
    }
    addInboxRoutes(app, { sql, secret, receives });
    const emails = new Emails(sql);
    const perHour = config.NOTIFYX_LIMITS === "off" ? Infinity : config.NOTIFYX_MAILS_PER_HOUR_OF_USER;
    const node = new MailNode(service, config, emails, databaseUrl(config.NOTIFYX_DATABASE_URL, "mail"));
    await node.start();
    const live = new LiveEmails(emails, log);
    await live.start();
    service.onStop("mails that are watched", () => live.stop());
    const upkeep = new Upkeep(sql, config.NOTIFYX_MAIL_KEEP_DAYS, log);
    upkeep.start();
    service.onStop("the upkeep of mails", () => upkeep.stop());
    const overview = new MailOverview(sql);
    measureQueue(overview);
    const addresses = new Addresses(directory, secret);
    addMailRoutes(app, emails, secret);
    service.dashboard.figures.push(...MAIL_FIGURES);
    addConsole(service, emails, overview);
    await service.subgraph({ sdl, resolvers: mailResolvers({ emails, live, overview, addresses, perHour }) });
  },
});
