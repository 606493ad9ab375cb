/** Mails as they are made from data of any kind: what is hostile in it stands there as text, or is refused. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { renderMail } from "./render.ts";

const AT = "2026-11-24T19:16:03.123Z";
const STOP = "https://notifyx.example/unsubscribe/AbC?x=1&y=2";
const ENTRY = { topic: "lunch", from: "bob@example.com", message: "Soup is ready.", at: AT };
const WHOLE: Record<string, Record<string, unknown>> = {
  plain: { subject: "Hello", message: "Hi Ann,\n\n  see you." },
  notification: { ...ENTRY, unsubscribeUrl: STOP },
  digest: { entries: [ENTRY, { ...ENTRY, topic: "news" }], more: 3, every: "day", unsubscribeUrl: STOP },
  confirm: { url: "https://notifyx.example/account/confirm?token=abc", hours: 48 },
  reset: { url: "https://notifyx.example/account/reset?token=abc", minutes: 1 },
  replaced: { at: AT },
};
const LINKS: Record<string, string> = {
  notification: "unsubscribeUrl",
  digest: "unsubscribeUrl",
  confirm: "url",
  reset: "url",
};
/** What may not be in a mail whatever its data: controls, and marks that turn the direction of the text around them. */
// deno-lint-ignore no-control-regex -- that is what it is about
const HARMFUL = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;
const HOSTILE = [
  "</td></table><script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "--><style>*{display:none}</style><!--",
  "&lt;script&gt;&#60;b&#x3e;",
  "\uE000topic\uE001\uE000unsubscribe\uE001",
  "line\r\nBcc: eve@example.com\r\n\r\n.\r\n",
  "\0\x07\x1b[31mred\x7f\x85next\u2028and\u2029on\v\f",
  "\u202eelif.exe\u2066\u2067\u200f\ufeff\ufff9",
  "half \ud83d pair \udc00",
  "👩‍👩‍👧‍👦 عربى שלום",
  "x".repeat(20_000),
  "$& $1 $` {{topic}} ${topic}",
  "",
];

/** All texts of `data`, replaced. */
function withTexts(data: unknown, text: string): unknown {
  if (Array.isArray(data)) return data.map((one) => withTexts(one, text));
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) =>
      ["subject", "topic", "from", "message"].includes(name)
        ? [name, text]
        : [name, typeof value === "object" ? withTexts(value, text) : value]
    ),
  );
}

/** The names of tags and attributes that a page has. */
function structure(html: string): string[] {
  // A line's end is a tag, and how many there are is the message's.
  return [...html.matchAll(/<(?!br>)[^>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, '""'));
}

function assertHarmless(template: string, data: unknown): void {
  const { subject, html, text } = renderMail(template, data);
  const limit = template === "plain" ? 900 : 150;
  assert(!HARMFUL.test(subject) && !subject.includes("\n") && [...subject].length <= limit, `subject ${subject}`);
  assert(subject.length > 0);
  for (const part of [html, text]) assert.doesNotMatch(part, HARMFUL, template);
  assert.deepEqual(structure(html), structure(renderMail(template, WHOLE[template]).html), template);
  for (const [, href] of html.matchAll(/href="([^"]*)"/g)) assert.match(href!, /^https:\/\/notifyx\.example\//);
}

Deno.test("renderMail - gives a subject, HTML and text that say what was given", () => {
  const { subject, html, text } = renderMail("notification", {
    ...WHOLE.notification,
    topic: "R&D <news>",
    message: "Soup\nis ready.",
  });
  assert.equal(subject, "R&D <news>: Soup is ready.");
  assert.match(html, /^<!doctype html>/);
  assert.match(html, /R&#38;D &#60;news&#62;/);
  assert.match(html, /Soup<br>is ready\./);
  assert.match(html, /href="https:\/\/notifyx\.example\/unsubscribe\/AbC\?x=1&#38;y=2"/);
  assert.match(text, /^R&D <news>\n\nSoup\nis ready\.\n\nbob@example\.com, 24 November 2026 at 19:16 UTC\n/);
  assert.match(text, /\nhttps:\/\/notifyx\.example\/unsubscribe\/AbC\?x=1&y=2\n$/);

  assert.deepEqual(renderMail("plain", WHOLE.plain).text, "Hi Ann,\n\n  see you.\n");
  assert.equal(renderMail("plain", { subject: " \r\n", message: "" }).subject, "(no subject)");
  assert.match(renderMail("reset", WHOLE.reset).text, /within 1 minute\./);
  assert.match(renderMail("replaced", WHOLE.replaced).text, /^The password .*, on 24 November 2026 at 19:16 UTC\.\n/);
  const more = renderMail("digest", WHOLE.digest);
  assert.equal(more.subject, "5 notifications in the last day: lunch and news");
  for (const part of [more.html, more.text]) assert.match(part, /and 3 more/);
  assert.doesNotMatch(renderMail("digest", { ...WHOLE.digest, more: 0 }).text, /more,/);
});

Deno.test("renderMail - a digest shows the beginning of a long message, and names two topics of many", () => {
  const entries = ["a", "b", "c", "d"].map((topic) => ({ ...ENTRY, topic, message: `${topic}${"🦊".repeat(700)}` }));
  const { subject, text } = renderMail("digest", { ...WHOLE.digest, entries, more: 0 });
  assert.equal(subject, "4 notifications in the last day: a, b and 2 more topics");
  assert.equal([...text.matchAll(/🦊/gu)].length, 4 * 598);
  assert.equal([...text.matchAll(/🦊…\n/gu)].length, 4);
});

Deno.test("renderMail - whatever its texts hold, a mail has the same tags, no controls and its own links alone", () => {
  for (const [template, data] of Object.entries(WHOLE)) {
    for (const text of HOSTILE) assertHarmless(template, withTexts(data, text));
  }
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.array(fc.constantFrom(...HOSTILE, "<", ">", '"', "'", "&", "\r", "\n", "\u202e", "a")).map((all) =>
      all.join("")
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(WHOLE)), text, (template, text) => {
      assertHarmless(template, withTexts(WHOLE[template], text));
    }),
    { numRuns: 300 },
  );
});

Deno.test("renderMail - takes links to the web alone, and writes them as a browser does", () => {
  const wrong = [
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "mailto:a@b.c",
    "//evil.example",
    "/unsubscribe",
    "",
    "http://",
    "https://notifyx.example@evil.example/",
    "https://a:b@evil.example/",
    "https://notifyx.example/\r\nBcc: eve@example.com",
    "https://notifyx.example/ x",
    "https://notifyx.example/\u2028",
    "https://notifyx.example/\u202egnp",
    "https://notifyx.example/\0",
    `https://notifyx.example/${"x".repeat(2_000)}`,
    7,
    null,
    undefined,
    ["https://notifyx.example/"],
  ];
  for (const [template, name] of Object.entries(LINKS)) {
    for (const url of wrong) {
      assert.throws(
        () => renderMail(template, { ...WHOLE[template], [name]: url }),
        { code: "BAD_USER_INPUT", message: new RegExp(`^data\\.${name} takes`) },
        `${template} ${url}`,
      );
    }
    const { html, text } = renderMail(template, { ...WHOLE[template], [name]: `HTTPS://notifyx.example/"><b>'ü` });
    assert.match(text, /^https:\/\/notifyx\.example\/%22%3E%3Cb%3E'%C3%BC$/m);
    assert.match(html, /href="https:\/\/notifyx\.example\/%22%3E%3Cb%3E&#39;%C3%BC"/);
  }
});

Deno.test("renderMail - refuses what no template takes, naming it", () => {
  const refused: [string, unknown, RegExp][] = [
    ["unknown", {}, /^template takes/],
    ["constructor", {}, /^template takes/],
    ["plain", { subject: "x" }, /^data\.message takes/],
    ["plain", null, /^data\. takes/],
    ["plain", { subject: 1, message: "x" }, /^data\.subject takes a text/],
    ["plain", { subject: "x", message: "x".repeat(200_001) }, /^data\.message takes at most/],
    ["notification", { ...WHOLE.notification, at: "yesterday" }, /^data\.at takes a time/],
    ["digest", { ...WHOLE.digest, entries: [] }, /^data\.entries takes at least one/],
    ["digest", { ...WHOLE.digest, entries: Array(101).fill(ENTRY) }, /^data\.entries takes at most 100/],
    ["digest", { ...WHOLE.digest, entries: [ENTRY, { ...ENTRY, from: 3 }] }, /^data\.entries\.1\.from takes a text/],
    ["digest", { ...WHOLE.digest, every: "year" }, /^data\.every takes hour or day/],
    ["confirm", { ...WHOLE.confirm, hours: 1.5 }, /^data\.hours takes/],
  ];
  for (const [template, data, message] of refused) {
    assert.throws(() => renderMail(template, data), { code: "BAD_USER_INPUT", message }, `${template} ${message}`);
  }
});

Deno.test("renderMail - a client that reads HTML as text finds the same words", async () => {
  const { html } = renderMail("notification", { ...WHOLE.notification, message: "1 < 2 & 3 > 2\n\nrun `rm -rf`" });
  const parsed = await simpleParser(`Content-Type: text/html; charset=utf-8\r\n\r\n${html}`);
  assert.match(parsed.text!, /1 < 2 & 3 > 2\s+run `rm -rf`/);
});
