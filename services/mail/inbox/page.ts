/** The pages of `/inbox`: a list of mails, and one of them. In: rows and contents. Out: HTML in which all of that is text. */

import { escapeHtml } from "../../../kit/status_page.ts";
import { timeText } from "../templates/text.ts";
import { envelope, page } from "./look.ts";
import type { Contents } from "./parsed.ts";
import { type InboxEntry, type InboxMail, KEPT_MAILS } from "./store.ts";

export type View = "html" | "text" | "source";

/** `receives` is false where mails go to an SMTP server, and so not here. */
export function listPage(mails: readonly InboxEntry[], address: string, receives: boolean): string {
  const why = receives
    ? `No SMTP server is set, so what Notifyx sends stays here: the newest ${KEPT_MAILS}.`
    : "Notifyx sends by the SMTP server of NOTIFYX_SMTP_URL: nothing new comes here.";
  const count = `${mails.length} ${mails.length === 1 ? "mail" : "mails"}`;
  const summary = address === ""
    ? `${count}. ${why}`
    : `${count} from or for <bdi>${escapeHtml(address)}</bdi>. <a href="/inbox">Show all</a>`;
  const none = address !== ""
    ? `No mail from or for such an address. <a href="/inbox">Show all</a>`
    : receives
    ? "No mail yet. What Notifyx sends will show up here."
    : "Notifyx sends by the SMTP server of NOTIFYX_SMTP_URL: nothing comes here.";
  const list = mails.length === 0
    ? `<div class="card empty quiet">${envelope(56)}<p>${none}</p></div>`
    : `<p class="summary quiet">${summary}</p>\n<ol class="card">${mails.map(row).join("\n")}</ol>`;
  return page("Inbox", `<main class="live">${list}</main>`, address);
}

function row({ id, subject, sender, fromText, recipients, receivedAt }: InboxEntry): string {
  const letter = (/[\p{L}\p{N}]/u.exec(recipients[0] ?? "")?.[0] ?? "?").toUpperCase();
  return `<li><a href="/inbox/${id}"><span class="letter" aria-hidden="true">${escapeHtml(letter)}</span>
    <b><bdi>${escapeHtml(subjectOf(subject))}</bdi></b> ${when(receivedAt)}
    <span class="who quiet"><bdi>${escapeHtml(nameOf(fromText) || sender || "nobody")}</bdi> → <bdi>${
    escapeHtml(someOf(recipients))
  }</bdi></span></a></li>`;
}

export function mailPage(mail: InboxMail, contents: Contents | undefined, view: View): string {
  const { id, subject, sender, fromText, recipients, receivedAt, size, newer, older } = mail;
  const facts: [string, string][] = [
    ["From", plainName(fromText) || sender],
    ...fromText.includes(sender) ? [] : [["Sent by", sender] as [string, string]],
    ["To", recipients.join(", ")],
    ...(contents?.attachments ?? []).map((
      { name, bytes },
    ): [string, string] => ["Attached", `${name}, ${sizeOf(bytes)}`]),
  ];
  return page(
    subjectOf(subject),
    `<nav><a href="/inbox">← All mails</a><span class="push"></span>${link("Newer", newer, view)}${
      link("Older", older, view)
    }</nav>
<div class="card"><div class="facts">
<h1><bdi>${escapeHtml(subjectOf(subject))}</bdi></h1>
<dl>${
      facts.map(([name, value]) => `<dt>${name}</dt><dd><bdi>${escapeHtml(value)}</bdi></dd>`).join("")
    }<dt>Received</dt><dd>${when(receivedAt)}, ${sizeOf(size)}</dd></dl></div>
<nav class="views">${
      (["html", "text", "source"] as const).map((one) =>
        `<a href="/inbox/${id}?view=${one}"${one === view ? ' aria-current="page"' : ""}>${VIEWS[one]}</a>`
      ).join("")
    }</nav>
<main>${shown(mail, contents, view)}</main></div>`,
  );
}

const VIEWS: Record<View, string> = { html: "HTML", text: "Text", source: "Source" };

function shown({ id, source }: InboxMail, contents: Contents | undefined, view: View): string {
  if (view === "source") return `<pre dir="ltr">${escapeHtml(new TextDecoder().decode(source))}</pre>`;
  if (contents === undefined) return `<p class="quiet">This mail can't be read; its source can.</p>`;
  const part = contents[view];
  if (part === undefined) {
    return `<p class="quiet">This mail has no such part, or one that is too large to be shown.</p>`;
  }
  // Popups are links that someone clicked: they open as pages of their own.
  return view === "html"
    ? `<iframe title="The mail" src="/inbox/${id}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>`
    : `<pre class="words">${escapeHtml(part)}</pre>`;
}

/** What is no mail any more, or never was. */
export function missingPage(): string {
  return page(
    "No such mail",
    `<nav><a href="/inbox">← All mails</a></nav><div class="card empty quiet">${
      envelope(56)
    }<p>This mail isn't kept.</p></div>`,
  );
}

function link(label: string, id: number | null, view: View): string {
  return id === null ? `<span class="quiet">${label}</span>` : `<a href="/inbox/${id}?view=${view}">${label}</a>`;
}

function when(time: Date): string {
  return `<time datetime="${time.toISOString()}">${timeText(time.toISOString())}</time>`;
}

function subjectOf(subject: string): string {
  return subject === "" ? "(no subject)" : subject;
}

/** `"A name" <a@example.com>`, as it was read from the header: quotes only where they are needed. */
function plainName(fromText: string): string {
  return fromText.replace(/^"([^",;:<>@\\()[\]]*)" </, "$1 <");
}

/** The name alone, where there is one. */
function nameOf(fromText: string): string {
  return /^"(.+)" <[^<>]*>$/.exec(fromText)?.[1] ?? fromText;
}

function someOf(recipients: readonly string[]): string {
  const rest = recipients.length - 3;
  return recipients.slice(0, 3).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

function sizeOf(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} KiB`;
}
