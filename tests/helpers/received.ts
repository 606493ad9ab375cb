/** Mails as the development inbox has received them, by SMTP: their bytes, what a mail program reads in them, and the inbox's pages. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { simpleParser } from "mailparser";
import type { System } from "./system.ts";

export interface Arrived {
  readonly id: string;
  readonly sender: string;
  readonly recipients: string[];
  readonly source: Uint8Array;
}

/** By their ids, as their Message-IDs have them. */
export async function arrived(system: System): Promise<Map<string, Arrived>> {
  const rows = await system.database("mail")<
    Arrived[]
  >`select id, sender, recipients, source from inbox_mails order by id`;
  return new Map(rows.map((mail) => [/^Message-ID: <([^@]+)@localhost>\r$/m.exec(bytes(mail.source))![1]!, mail]));
}

function bytes(source: Uint8Array): string {
  return new TextDecoder("latin1").decode(source);
}

/** Its lines end as SMTP's do, its head has these fields and no other, and its body two parts. @returns what a mail program shows */
export async function readBack({ source, sender }: Arrived, head: string[]) {
  const text = bytes(source);
  ok(!/\0|\r(?!\n)|(?<!\r)\n/.test(text), "a line ends otherwise than by CR LF");
  equal(sender, "notifyx@localhost");
  const [fields, ...body] = text.split("\r\n\r\n");
  ok(body.length > 0);
  deepEqual(fields!.replaceAll(/\r\n[ \t]/g, " ").split("\r\n").map((field) => field.split(":")[0]), head);
  for (const one of fields!.split("\r\n")) match(one, /^[\x20-\x7e\t]{1,998}$/);
  const mail = await simpleParser(new TextDecoder().decode(source), { skipHtmlToText: true, skipTextToHtml: true });
  deepEqual(mail.attachments, []);
  deepEqual([mail.headers.has("bcc"), mail.headers.has("cc")], [false, false]);
  return { subject: mail.subject ?? "", text: mail.text ?? "", html: mail.html || "" };
}

/** The names of tags and attributes of a page's part about a mail; line ends are as many as the message has. */
export function structure(html: string): string {
  const part = html.slice(Math.max(0, html.indexOf('<div class="card">')));
  return [...part.matchAll(/<(?!br)[^>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, '""')).join("");
}

/** The tags of each view of a mail in the inbox. */
export async function views(system: System, { id }: Arrived): Promise<string[]> {
  return await Promise.all(["?view=html", "?view=text", "?view=source", "/html"].map(async (view) => {
    const response = await fetch(`${system.url("mail")}/inbox/${id}${view}`);
    equal(response.status, 200);
    return structure(await response.text());
  }));
}
