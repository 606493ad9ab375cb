/** Mail's GraphQL (schema/mail.graphql): users send mails, and see what becomes of them. */

import type { IResolvers } from "@graphql-tools/utils";
import type { Addresses } from "../../kit/addresses.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid, newId } from "../../kit/ids.ts";
import { requireViewer, type SubgraphContext } from "../../kit/subgraph.ts";
import type { Email, Emails } from "./emails.ts";
import type { LiveEmails } from "./live_emails.ts";
import type { MailOverview } from "./overview.ts";
import { checkPlainMail } from "./mails.ts";

export interface ResolversOptions {
  readonly emails: Emails;
  readonly live: LiveEmails;
  readonly overview: MailOverview;
  /** Who has confirmed their address. */
  readonly addresses: Pick<Addresses, "of">;
  /** How many mails a user may send in an hour; Infinity is no limit. */
  readonly perHour: number;
}

interface NewEmail {
  readonly to: string;
  readonly subject: string;
  readonly message: string;
}

export function mailResolvers(
  { emails, live, overview, addresses, perHour }: ResolversOptions,
): IResolvers<unknown, SubgraphContext> {
  /** @throws UserError `NOT_FOUND` also for a mail of another user */
  async function own(id: string, userId: string): Promise<Email> {
    const found = isUuid(id) ? await emails.find(id, userId) : undefined;
    if (found === undefined) throw new UserError("NOT_FOUND", "you have sent no mail with this id");
    return found;
  }
  return {
    Subscription: {
      emailUpdated: {
        subscribe: async (_: unknown, { id }: { id: string }, context: SubgraphContext) => {
          const { userId } = requireViewer(context);
          await own(id, userId);
          return live.watch(id.toLowerCase());
        },
        resolve: (email: Email) => email,
      },
    },
    Query: {
      email: (_, { id }: { id: string }, context) => own(id, requireViewer(context).userId),
      mailNodes: async (_, __, context) => {
        requireViewer(context);
        return await overview.nodes();
      },
    },
    Mutation: {
      async sendEmail(_, given: NewEmail, context) {
        const viewer = requireViewer(context);
        const { userId } = viewer;
        if (viewer.unconfirmed) await checkConfirmed(addresses, userId);
        const to = checkPlainMail(given);
        const { subject, message } = given;
        const id = newId();
        const { traceparent } = context.span ?? {};
        const mail = { id, to, template: "plain", data: { subject, message }, traceparent };
        await emails.acceptOf(userId, mail, perHour);
        return await own(id, userId);
      },
    },
  };
}

/** An identity lasts for a minute: who has confirmed meanwhile need not wait. @throws UserError `FORBIDDEN` */
async function checkConfirmed(addresses: Pick<Addresses, "of">, userId: string): Promise<void> {
  if ((await addresses.of([userId])).get(userId)?.confirmed) return;
  throw new UserError(
    "FORBIDDEN",
    "confirm your e-mail address first, by the link that was sent to it; requestAddressConfirmation sends another",
  );
}
