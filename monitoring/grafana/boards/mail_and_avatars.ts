/** The two that nobody waits for: do mails leave, and are pictures drawn? */

import type { Board } from "./board.ts";
import { graph } from "./panels.ts";
import { CHOSEN, orNone, quantile, quantiles, rate } from "./query.ts";

export const mailAndAvatars: Board = {
  id: "mail-and-avatars",
  title: "Mail and avatars",
  description: "The two that nobody waits for: do mails leave, and are pictures drawn?",
  jobs: ["mail", "avatar", "notifications", "auth"],
  rows: [
    {
      title: "Do mails leave?",
      panels: [
        graph({
          title: "Oldest mail",
          answers: "How long the oldest mail that is accepted and not sent has been waiting.",
          bad: "Minutes: the mail server is away or refuses, or too few mail nodes run.",
          queries: { expr: "max(notifyx_mail_queue_oldest_seconds)", legend: "oldest" },
          unit: "s",
          limits: { yellow: 60, red: 600 },
          runbook: "MailQueueOld",
        }),
        graph({
          title: "Queue",
          answers: "Mails that are accepted and neither sent nor failed, over all nodes.",
          bad: "More and more. Nothing is lost: it is in the database.",
          queries: { expr: "max(notifyx_mail_queue_depth)", legend: "mails" },
          unit: "short",
          runbook: "MailQueueOld",
        }),
        graph({
          title: "Failed for good",
          answers: "Mails that nobody tries again by itself.",
          bad: "Any of ours. The mail service's status page shows each with its reason, and tries it again on demand.",
          queries: { expr: "max(notifyx_mail_failed)", legend: "failed" },
          unit: "none",
          limits: { yellow: 1 },
          runbook: "MailFailing",
        }),
        graph({
          title: "Attempts",
          answers: "Attempts to send a mail, by result.",
          bad: "`again` without `sent`: the mail server takes none.",
          queries: { expr: rate("notifyx_mail_sent_total", ["result"]), legend: "{{result}}" },
          unit: "cps",
          whenEmpty: "no mail was due",
          runbook: "MailFailing",
        }),
        graph({
          title: "Time of an attempt",
          answers: "From a mail's rendering to the server's answer.",
          bad: "Many seconds: the mail server is slow, and each attempt holds one of its connections.",
          queries: quantiles("notifyx_mail_sending_duration_seconds"),
          unit: "s",
          limits: { red: 10 },
          whenEmpty: "no mail was due",
          runbook: "MailQueueOld",
        }),
        graph({
          title: "Connections to the mail server",
          answers: "Connections that the nodes may have, and those in use.",
          bad: "All in use, while the queue grows: the limit of the mail server is the limit here.",
          queries: { expr: `sum by (state) (notifyx_mail_connections${CHOSEN})`, legend: "{{state}}" },
          unit: "none",
        }),
      ],
    },
    {
      title: "On the way to the mail service",
      panels: [
        graph({
          title: "Outboxes",
          answers: "Mails that wait in a service's outbox for the mail service.",
          bad: "Some that stay: the mail service is away. They are kept until it is back.",
          queries: { expr: `max by (job) (notifyx_mail_outbox_waiting${CHOSEN})`, legend: "{{job}}" },
          unit: "short",
          runbook: "MailHandoverLate",
        }),
        graph({
          title: "Oldest in an outbox",
          answers: "For how long the oldest of these has waited.",
          bad: "A minute: the mail service is away or refuses the service.",
          queries: { expr: `max by (job) (notifyx_mail_outbox_oldest_age_seconds${CHOSEN})`, legend: "{{job}}" },
          unit: "s",
          limits: { yellow: 60, red: 300 },
          runbook: "MailHandoverLate",
        }),
        graph({
          title: "Accepted and rejected",
          answers: "Mails that the mail service took from the outboxes, and those that it refused for what they are.",
          bad: "Rejected ones: a fault of ours. The outbox keeps them with the reason.",
          queries: [
            { expr: rate("notifyx_mail_outbox_accepted_total", ["job"]), legend: "{{job}} accepted" },
            { expr: rate("notifyx_mail_outbox_rejected_total", ["job"]), legend: "{{job}} rejected" },
          ],
          unit: "cps",
          runbook: "MailFailing",
        }),
        graph({
          title: "Due",
          answers: "Mails of notifications and parts of digests that are due (counted up to 10,000).",
          bad: "More and more: notifications can't hand them over.",
          queries: { expr: "max(notifyx_mail_due)", legend: "due" },
          unit: "short",
          runbook: "MailHandoverLate",
        }),
        graph({
          title: "Late",
          answers:
            "For how long the oldest of these has been due, and positions of the feed that mail has not looked at.",
          bad: "Minutes, or more and more positions: what makes mails of the feed stands.",
          queries: [
            { expr: "max(notifyx_mail_due_oldest_age_seconds)", legend: "due since, in s" },
            { expr: "max(notifyx_mail_follower_lag)", legend: "positions" },
          ],
          unit: "short",
          runbook: "MailHandoverLate",
        }),
        graph({
          title: "Made and dropped",
          answers: "Mails that were handed over, by kind, and what made none, by reason.",
          bad: "`no_address` in numbers: people did not confirm theirs.",
          queries: [
            { expr: rate("notifyx_mail_handed_over_total", ["kind"]), legend: "{{kind}}" },
            { expr: rate("notifyx_mail_dropped_total", ["reason"]), legend: "none: {{reason}}" },
          ],
          unit: "cps",
          whenEmpty: "nothing was due",
        }),
      ],
    },
    {
      title: "Are pictures drawn?",
      panels: [
        graph({
          title: "Pictures",
          answers: "Pictures that were asked for: kept (hit), drawn (miss), shared, or known to the client already.",
          bad: "Nearly all drawn, under load: the cache is too small for the people that are looked at.",
          queries: { expr: rate("notifyx_avatars_total", ["found"]), legend: "{{found}}" },
          unit: "cps",
          whenEmpty: "no picture was asked for",
        }),
        graph({
          title: "Time to draw, p99",
          answers: "How long 99 of 100 pictures take to be drawn and encoded, by style.",
          bad: "More than 10 ms: the machine is busy.",
          queries: {
            expr: quantile(0.99, "notifyx_avatar_drawing_seconds", ["style"]),
            legend: "{{style}}",
          },
          unit: "s",
          whenEmpty: "no picture was drawn",
        }),
        graph({
          title: "Waiting and refused",
          answers: "Pictures that wait to be drawn, and those that were refused since too many waited.",
          bad: "Refused ones: people see none. Another avatar node helps.",
          queries: [
            { expr: `sum(notifyx_avatars_waiting${CHOSEN})`, legend: "waiting" },
            { expr: `sum(notifyx_avatars_waiting_limit${CHOSEN})`, legend: "may wait" },
            { expr: orNone(rate("notifyx_avatars_refused_total")), legend: "refused a second" },
          ],
          unit: "short",
          runbook: "AvatarsRefused",
        }),
        graph({
          title: "Threads",
          answers: "Threads that draw, by what they do.",
          bad: "All busy for long: pictures wait. Starting ones that never become idle: they can't start.",
          queries: { expr: `sum by (state) (notifyx_avatar_threads${CHOSEN})`, legend: "{{state}}" },
          unit: "none",
          runbook: "AvatarsRefused",
        }),
        graph({
          title: "Kept in memory",
          answers: "What drawn pictures take of each node's memory.",
          bad: "Nothing in itself: it is bounded.",
          queries: [
            { expr: `notifyx_avatar_cache_bytes${CHOSEN}`, legend: "{{instance}}" },
            { expr: `max(notifyx_avatar_cache_limit_bytes${CHOSEN})`, legend: "limit of each" },
          ],
          unit: "bytes",
        }),
        graph({
          title: "Threads replaced",
          answers: "Threads that draw which died or took too long.",
          bad: "Any: a picture that can't be drawn. Its id is in the log.",
          queries: { expr: "sum(increase(notifyx_avatar_workers_replaced_total[5m]))", legend: "in 5 minutes" },
          unit: "none",
          limits: { yellow: 1 },
        }),
      ],
    },
  ],
};
