/**
 * Turns what is due for digests into one mail for each user: the newest that they haven't seen, and how many more there are. In and out as
 * of hand_over.ts, which calls this.
 */

import type { Address } from "../../../kit/addresses.ts";
import type { Sql } from "../../../kit/database.ts";
import { type Mail, queueMail } from "../../../kit/mail_outbox.ts";
import type { HandOverOptions } from "./hand_over.ts";
import { mailId } from "./mail_ids.ts";
import { mailsDropped, mailsHandedOver } from "./metrics.ts";

/** Of how many rows the digests are that one batch begins with; a row is one topic's part of one digest. */
const ROWS = 300;
/** The most notifications that a digest names, and the most characters of each: the template shows somewhat less, and marks the cut. */
const ENTRIES = 50;
const MESSAGE_LIMIT = 650;

/** One topic's part of a digest: of due_digests(). */
interface Part {
  readonly user_id: string;
  readonly every: "HOUR" | "DAY";
  /** As PostgreSQL writes it. */
  readonly due_at: string;
  readonly topic_id: string;
  readonly first_position: number;
  readonly last_position: number;
  readonly token: string;
  /** Why it is not to be sent. */
  readonly void: string | null;
}

/** Of digest_entries(), in the order in which they were sent; `nth` is the digest's. */
interface Entry {
  readonly nth: number;
  readonly topic: string;
  readonly from_user_id: string;
  readonly message: string;
  readonly at: Date;
}

/** One user's. */
interface Digest {
  readonly parts: readonly Part[];
  readonly entries: readonly Entry[];
  readonly unseen: number;
}

/** One batch; whether there was any. @throws UserError while auth is away */
export async function handOverDigests({ sql, addresses, publicUrl }: HandOverOptions): Promise<boolean> {
  const parts: readonly Part[] = await sql<Part[]>`select * from due_digests(${ROWS})`;
  if (parts.length === 0) return false;
  const digests = await read(sql, [...Map.groupBy(parts, ({ user_id, every }) => `${user_id} ${every}`).values()]);
  const known = await addresses.of(
    digests.filter(({ entries }) => entries.length > 0).flatMap(({ parts, entries }) => [
      parts[0]!.user_id,
      ...entries.map((entry) => entry.from_user_id),
    ]),
  );
  const taken = await sql.begin(async (transaction) => {
    const unchanged = await take(transaction as unknown as Sql, parts);
    const whole = digests.filter((digest) => digest.parts.every((part) => unchanged.has(keyOf(part))));
    const mails = whole.flatMap((digest) => mailOf(digest, known, publicUrl));
    if (mails.length > 0) await queueMail(transaction as unknown as Sql, ...mails);
    await remove(transaction as unknown as Sql, whole.flatMap((digest) => digest.parts));
    return { whole, mails };
  });
  mailsHandedOver.inc({ kind: "digest" }, taken.mails.length);
  for (const digest of taken.whole) countDropped(digest, known);
  return taken.whole.length > 0;
}

async function read(sql: Sql, grouped: readonly (readonly Part[])[]): Promise<Digest[]> {
  const wanted = grouped.flatMap((parts, nth) =>
    parts.filter((part) => part.void === null).map((part) => ({ ...part, nth }))
  );
  const nths = wanted.map(({ nth }) => nth);
  const users = wanted.map(({ user_id }) => user_id);
  const topics = wanted.map(({ topic_id }) => topic_id);
  const firsts = wanted.map(({ first_position }) => first_position);
  const lasts = wanted.map(({ last_position }) => last_position);
  const entries = await sql<Entry[]>`select * from digest_entries(${nths}::int[], ${users}::uuid[], ${topics}::uuid[],
    ${firsts}::bigint[], ${lasts}::bigint[], ${ENTRIES}, ${MESSAGE_LIMIT})`;
  const counts = await sql<{ nth: number; unseen: number }[]>`
    select nth, sum(unseen_between(user_id, topic_id, first_position, last_position))::bigint as unseen
      from unnest(${nths}::int[], ${users}::uuid[], ${topics}::uuid[], ${firsts}::bigint[], ${lasts}::bigint[])
        as g (nth, user_id, topic_id, first_position, last_position) group by nth`;
  const byDigest = Map.groupBy(entries, ({ nth }) => nth);
  const unseen = new Map(counts.map((row) => [row.nth, row.unseen]));
  return grouped.map((parts, nth) => ({
    parts,
    entries: byDigest.get(nth) ?? [],
    unseen: unseen.get(nth) ?? 0,
  }));
}

/** Locks those of the parts that are as they were read; a digest that has changed meanwhile is made anew from what is there then. */
async function take(sql: Sql, parts: readonly Part[]): Promise<Set<string>> {
  const rows = await sql<Part[]>`
    select d.user_id, d.every, d.due_at::text, d.topic_id, d.last_position from digest_due d join ${given(sql, parts)}
    on d.user_id = given.user_id and d.every = given.every and d.due_at = given.due_at::timestamptz and d.topic_id = given.topic_id
      and d.last_position = given.last_position for update of d`;
  return new Set(rows.map(keyOf));
}

async function remove(sql: Sql, parts: readonly Part[]): Promise<void> {
  await sql`delete from digest_due d using ${given(sql, parts)}
    where d.user_id = given.user_id and d.every = given.every and d.due_at = given.due_at::timestamptz and d.topic_id = given.topic_id`;
}

function given(sql: Sql, parts: readonly Part[]) {
  return sql`unnest(${parts.map((part) => part.user_id)}::uuid[], ${parts.map((part) => part.every)}::text[], ${
    parts.map((part) => part.due_at)
  }::text[], ${parts.map((part) => part.topic_id)}::uuid[], ${
    parts.map((part) => part.last_position)
  }::bigint[]) as given (user_id, every, due_at, topic_id, last_position)`;
}

function keyOf({ user_id, every, due_at, topic_id, last_position }: Part): string {
  return `${user_id} ${every} ${due_at} ${topic_id} ${last_position}`;
}

/** None where there is nothing to tell, or nobody to tell it to. It is the system's own: who sent what it tells are many. */
function mailOf({ parts, entries, unseen }: Digest, known: ReadonlyMap<string, Address>, publicUrl: string): Mail[] {
  const { user_id, every, token } = parts[0]!;
  const to = known.get(user_id);
  if (entries.length === 0 || !to?.confirmed) return [];
  const last = Math.max(...parts.map((part) => part.last_position));
  const unsubscribeUrl = `${publicUrl}/unsubscribe/${token}`;
  return [{
    id: mailId("digest", user_id, every, `${last}`),
    to: to.email,
    template: "digest",
    data: {
      entries: entries.map(({ topic, from_user_id, message, at }) => ({
        topic,
        from: known.get(from_user_id)?.email ?? "",
        message,
        at: at.toISOString(),
      })),
      more: Math.max(0, unseen - entries.length),
      every: every === "HOUR" ? "hour" : "day",
      unsubscribeUrl,
    },
    unsubscribeUrl,
  }];
}

function countDropped({ parts, entries }: Digest, known: ReadonlyMap<string, Address>): void {
  for (const { void: reason } of parts) if (reason !== null) mailsDropped.inc({ reason });
  if (entries.length > 0 && !known.get(parts[0]!.user_id)?.confirmed) mailsDropped.inc({ reason: "no_address" });
  if (entries.length === 0 && parts.some((part) => part.void === null)) mailsDropped.inc({ reason: "seen" });
}
