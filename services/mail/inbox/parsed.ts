/**
 * What stands in a mail's source. In: its bytes, which may be anything. Out: what a list says of it, or its contents for the page; HTML
 * comes without whatever runs, loads or leads elsewhere by itself.
 */

import { simpleParser } from "mailparser";
import { Buffer } from "node:buffer";
import sanitizeHtml from "sanitize-html";
import { SECOND, withTimeLimit } from "../../../kit/time.ts";
import { block, oneLine } from "../templates/text.ts";

const PARSE_LIMIT_MS = 5 * SECOND;
/** The longest text of a list, in characters. */
const TEXT_LIMIT = 300;
/** The longest head that is read for a list, in bytes. */
const HEAD_LIMIT = 64 * 1024;

/** The most tags of HTML that is shown: tags within tags cost their parser the square of their number, and the node does nothing else meanwhile. */
const TAGS_LIMIT = 20_000;

export interface Contents {
  /** For a frame that loads nothing. Undefined also where it has over {@link TAGS_LIMIT} tags. */
  readonly html: string | undefined;
  readonly text: string | undefined;
  readonly attachments: readonly { readonly name: string; readonly bytes: number }[];
}

/** `from` and `subject` as the head says them. A mail that can't be read has neither. */
export async function readHead(source: Uint8Array): Promise<{ fromText: string; subject: string }> {
  const all = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const end = all.indexOf("\r\n\r\n");
  const head = all.subarray(0, Math.min(end < 0 ? all.length : end + 4, HEAD_LIMIT));
  try {
    const { from, subject } = await parse(head);
    return { fromText: oneLine(from?.text ?? "", TEXT_LIMIT), subject: oneLine(subject ?? "", TEXT_LIMIT) };
  } catch {
    return { fromText: "", subject: "" };
  }
}

/** Undefined where it can't be read; its source can. */
export async function readContents(source: Uint8Array): Promise<Contents | undefined> {
  try {
    const { html, text, attachments } = await parse(Buffer.from(source));
    return {
      html: typeof html === "string" && isShowable(html) ? harmless(html) : undefined,
      text: text ? block(text) : undefined,
      attachments: attachments.map(({ filename, contentType, size }) => ({
        name: oneLine(filename || contentType || "", TEXT_LIMIT),
        bytes: size,
      })),
    };
  } catch {
    return undefined;
  }
}

function parse(source: Buffer) {
  const options = { skipHtmlToText: true, skipTextToHtml: true, maxHtmlLengthToParse: source.byteLength };
  return withTimeLimit("reading a mail", PARSE_LIMIT_MS, simpleParser(source, options));
}

/** Line breaks hold nothing: a long text may have many. */
function isShowable(html: string): boolean {
  let tags = 0;
  for (const _ of html.matchAll(/<(?!br\b)[a-z]/gi)) if (++tags > TAGS_LIMIT) return false;
  return true;
}

const TAGS = ["html", "head", "body", "style", "img", "font", "center", "bdi", "bdo", "big", "strike", "tt"];
const ATTRIBUTES =
  "style class id align valign width height bgcolor dir lang role border cellpadding cellspacing colspan rowspan title"
    .split(" ");

/**
 * The frame's policy forbids all of it already, but for what a browser does ahead of it: Chromium opens a connection for a frame within
 * the frame before it asks its policy, which tells the sender that a mail was read.
 */
function harmless(html: string): string {
  return sanitizeHtml(html, {
    allowedTags: [...sanitizeHtml.defaults.allowedTags, ...TAGS],
    // A style can load nothing there, and reach nothing outside.
    allowVulnerableTags: true,
    allowedAttributes: {
      "*": ATTRIBUTES,
      a: ["href", "target", "rel"],
      img: ["src", "alt"],
      font: ["color", "size", "face"],
    },
    allowedSchemes: ["http", "https", "mailto"],
    allowedSchemesByTag: { img: ["data"] },
    allowProtocolRelative: false,
    nonTextTags: ["script", "style", "textarea", "option", "noscript", "title"],
    parseStyleAttributes: false,
    // What is clicked opens beside the inbox.
    transformTags: { a: sanitizeHtml.simpleTransform("a", { target: "_blank", rel: "noopener noreferrer" }) },
  });
}
