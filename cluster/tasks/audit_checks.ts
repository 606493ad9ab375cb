/** What has to hold between the databases, check by check. */

import type { Sql } from "../../kit/database.ts";

export interface Databases {
  readonly gateway: Sql;
  readonly notifications: Sql;
  readonly counter: Sql;
}

export interface Finding {
  readonly what: string;
  /** Of the transaction, notification or user that it is about. */
  readonly id: string;
  readonly todo: string;
}

/** Decisions are kept for two days at the least: what is older can't be compared any more. */
export const COMPARABLE = "47 hours";
/** Those whose databases are read here; audit_others.ts asks the others. */
export const PARTICIPANTS = ["notifications", "counter"] as const;
export const DAMAGE = "this is damage: stop sending, keep both databases as they are, and find out who wrote it";

export async function differences(databases: Databases): Promise<Finding[]> {
  const found = await Promise.all([
    inDoubt(databases),
    unfinished(databases),
    outcomes(databases),
    notificationsOf(databases),
    counts(databases),
  ]);
  return found.flat();
}

async function inDoubt({ gateway }: Databases): Promise<Finding[]> {
  const rows = await gateway<{ gid: string }[]>`
    select gid from pg_prepared_xacts where gid like 'notifyx:%' and prepared < now() - interval '15 seconds'`;
  return rows.map(({ gid }) => ({
    what: "prepared and not resolved",
    id: gid,
    todo:
      "its service resolves it within seconds of reaching a gateway: see whether both run, and whether the service's log says why not",
  }));
}

async function unfinished({ gateway }: Databases): Promise<Finding[]> {
  const rows = await gateway<{ transaction_id: string; participants: string[] }[]>`
    select transaction_id, participants from decisions where not done and decided_at < now() - interval '15 seconds'`;
  return rows.map(({ transaction_id, participants }) => ({
    what: "committed and not confirmed by all",
    id: transaction_id,
    todo: `a gateway goes on asking ${
      participants.join(", ")
    }: see which is away; the gateway's /dashboard says what each knows of it`,
  }));
}

/** The decision log and the outcomes of each participant, both ways. */
async function outcomes(databases: Databases): Promise<Finding[]> {
  const decisions = new Map(
    (await databases.gateway<{ transaction_id: string; state: string; participants: string[]; done: boolean }[]>`
      select transaction_id, state, participants, done from decisions where decided_at > now() - ${COMPARABLE}::interval`)
      .map((row) => [row.transaction_id, row]),
  );
  const found: Finding[] = [];
  for (const service of PARTICIPANTS) {
    const rows = await databases[service]<{ transaction_id: string; state: string }[]>`
      select transaction_id, state from two_phase_outcomes where decided_at > now() - ${COMPARABLE}::interval`;
    const states = new Map(rows.map((row) => [row.transaction_id, row.state]));
    for (const [id, state] of states) {
      const decided = decisions.get(id)?.state ?? "aborted";
      if (state !== decided) {
        found.push({
          what: `${state} by ${service}, ${decided} by the decision log`,
          id,
          todo: DAMAGE,
        });
      }
    }
    for (const [id, { state, participants, done }] of decisions) {
      if (state === "committed" && done && participants.includes(service) && !states.has(id)) {
        found.push({
          what: `committed and confirmed, unknown to ${service}`,
          id,
          todo:
            `was ${service}'s database restored from an older copy? Its sends since then have to be taken from the decision log`,
        });
      }
    }
  }
  return found;
}

/** Every committed send is one notification with one position, and nothing else is. */
async function notificationsOf({ notifications }: Databases): Promise<Finding[]> {
  const lost = await notifications<{ id: string }[]>`
    select transaction_id as id from two_phase_outcomes o where state = 'committed' and decided_at > now() - ${COMPARABLE}::interval
      and not exists (select from notifications n where n.id::text = o.transaction_id)
      and not exists (select from removed_notifications r where r.id::text = o.transaction_id)`;
  const late = await notifications<{ id: string }[]>`
    select id from notifications n where not exists (select from feed f where f.notification_id = n.id and f.kind = 'notification')`;
  const gaps = await notifications<{ id: string }[]>`
    select position::text as id from (select position, lag(position) over (order by position) as before from feed) f
      where position <> before + 1 and position > (select pruned_to from feed_head) + 1`;
  return [
    ...lost.map(({ id }) => ({
      what: "committed, and there is no notification",
      id,
      todo: "this is damage: find out who removed the row",
    })),
    ...late.map(({ id }) => ({
      what: "a notification without a position",
      id,
      todo: "the feed numbers it within a second while a notifications service runs: see its log",
    })),
    ...gaps.map(({ id }) => ({
      what: "the feed has a gap before position",
      id,
      todo: "this is damage: find out who removed the rows",
    })),
  ];
}

/** What each user has sent, those included that are removed since, as the notifications and as the counter have it. */
async function counts({ notifications, counter }: Databases): Promise<Finding[]> {
  const sent = await notifications<{ id: string; count: number }[]>`
    select id, sum(sent)::bigint as count from (select from_user_id as id, count(*) as sent from notifications group by from_user_id
      union all select user_id, sent from removed_sends) sent_ever group by id`;
  const counted = await counter<{ id: string; count: number }[]>`
    select user_id as id, sum(sent)::bigint as count from
      (select user_id, sent from totals union all select user_id, 1 from sends) all_sends group by user_id`;
  const counts = new Map(counted.map(({ id, count }) => [id, count]));
  const found: Finding[] = [];
  for (const { id, count } of sent) {
    const theirs = counts.get(id) ?? 0;
    counts.delete(id);
    if (theirs !== count) found.push(countFinding(id, count, theirs));
  }
  for (const [id, count] of counts) if (count !== 0) found.push(countFinding(id, 0, count));
  return found;
}

function countFinding(id: string, sent: number, counted: number): Finding {
  return {
    what: `${sent} notifications, counted ${counted}, of user`,
    id,
    todo: "the outcomes above say which transactions; with none there, a row was written or removed by hand",
  };
}
