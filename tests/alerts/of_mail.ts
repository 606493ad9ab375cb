/** Faults of mails, of pictures, and of the graph. */

import { buildSchema } from "graphql";
import { MINUTE, SECOND } from "../../kit/time.ts";
import { ForeignService } from "../helpers/foreign_service.ts";
import { until } from "../helpers/system.ts";
import { again, type Fault } from "./fault.ts";

const MAILS = 30;

/** Nothing listens at the SMTP server's address. */
export const smtpAway: Fault = {
  what: `the SMTP server is away, and ${MAILS} mails are sent`,
  raises: [{ alert: "MailFailing", withinMs: MINUTE }, { alert: "MailQueueOld", withinMs: 2 * MINUTE }],
  async make({ ann, smtp }, ends) {
    ends.defer(smtp!.close());
    smtp!.cutAll();
    const send = 'mutation ($to: String!) { sendEmail(to: $to, subject: "hello", message: "hello") { id } }';
    for (let nth = 0; nth < MAILS; nth++) {
      // At first the gateway's breaker for mail may be open yet.
      await until("a mail is accepted", async () => await ann.code(send, { to: `${nth}@example.com` }) === undefined);
    }
  },
};

/** Mail is frozen, and somebody has forgotten their password. */
export const mailFrozen: Fault = {
  what: "mail is frozen, and a password is forgotten",
  raises: [
    { alert: "ServiceAway", labels: { job: "mail" } },
    { alert: "MailHandoverLate", labels: { job: "auth" }, withinMs: 90 * SECOND },
  ],
  async make({ system, bob }, ends) {
    system.signal("SIGSTOP", "mail");
    ends.defer(async () => {
      system.signal("SIGCONT", "mail");
      // One that was frozen for so long may end, and is started again.
      await system.allReady();
    });
    await bob.get("mutation ($email: String!) { requestPasswordReset(email: $email) }", { email: bob.email });
  },
};

/** More pictures than one thread draws. */
export const manyPictures: Fault = {
  what: "more pictures are asked for than can be drawn",
  raises: [{ alert: "AvatarsRefused" }, { alert: "HttpErrors", labels: { job: "avatar" } }],
  make({ system }, ends) {
    const ask = async () => {
      const url = `${system.url("avatar")}/avatars/${crypto.randomUUID()}.png?size=512&style=IDENTICON`;
      await (await fetch(url, { signal: AbortSignal.timeout(5 * SECOND) })).body?.cancel();
    };
    again(ends, SECOND, () => Promise.all(Array.from({ length: 20 }, ask)));
  },
};

/** A service whose types contradict ours. */
export const contradiction: Fault = {
  what: "a service registers types that contradict auth's",
  raises: [{ alert: "GraphRefused", labels: { service: "thief" } }],
  async make({ system }, ends) {
    const service = ends.use(new ForeignService(system, "thief", buildSchema("type Query { me: Int }")));
    await service.register();
  },
};
