/** Mails that the development inbox has received, in the database, so that every node shows them. Only the newest are kept. */

import type { Sql } from "../../../kit/database.ts";

/** So many are kept, and so many bytes of them in all. */
export const KEPT_MAILS = 200;
export const KEPT_BYTES = 64 * 1024 * 1024;

export interface InboxEntry {
  readonly id: number;
  readonly receivedAt: Date;
  /** Of the envelope. */
  readonly sender: string;
  readonly recipients: string[];
  /** From the header. */
  readonly fromText: string;
  readonly subject: string;
  /** In bytes. */
  readonly size: number;
}

export interface InboxMail extends InboxEntry {
  readonly source: Uint8Array;
  /** The ids of its neighbours in the list. */
  readonly newer: number | null;
  readonly older: number | null;
}

export type ReceivedMail = Pick<InboxMail, "sender" | "recipients" | "fromText" | "subject" | "source">;

export async function keepMail(sql: Sql, mail: ReceivedMail): Promise<void> {
  const { sender, recipients, fromText, subject, source } = mail;
  await sql`
    insert into inbox_mails (sender, recipients, from_text, subject, size, source)
    values (${sender}, ${recipients}, ${fromText}, ${subject}, ${source.byteLength}, ${source})`;
  // What another connection is removing just now is left to it.
  await sql`
    delete from inbox_mails where id in (
      select id from inbox_mails where id in (
        select id from (
          select id, row_number() over newest as place, sum(size) over newest as bytes
          from inbox_mails window newest as (order by id desc)
        ) kept where place > ${KEPT_MAILS} or bytes > ${KEPT_BYTES}
      ) for update skip locked
    )`;
}

/** The newest first; those alone that are from or for an address with `address` in it, in whatever case. */
export async function listMails(sql: Sql, address: string): Promise<InboxEntry[]> {
  return await sql<InboxEntry[]>`
    select ${columns(sql)} from inbox_mails
    where ${address} = '' or exists (
      select from unnest(recipients || sender || from_text) as one where position(lower(${address}) in lower(one)) > 0)
    order by id desc limit ${KEPT_MAILS}`;
}

export async function findMail(sql: Sql, id: number): Promise<InboxMail | undefined> {
  const [mail] = await sql<InboxMail[]>`
    select ${columns(sql)}, source,
      (select min(id) from inbox_mails where id > ${id}) as newer,
      (select max(id) from inbox_mails where id < ${id}) as older
    from inbox_mails where id = ${id}`;
  return mail;
}

function columns(sql: Sql) {
  return sql`id, received_at as "receivedAt", sender, recipients, from_text as "fromText", subject, size`;
}
