/** Mail's own settings, besides those that every process has (kit/config.ts). `deno task start` checks them before it starts anything. */

import { createPrivateKey } from "node:crypto";
import validator from "validator";
import * as v from "valibot";
import { LIMITS_SETTING, url, whole } from "../../kit/config.ts";
import { DAY, HOUR, SECOND } from "../../kit/time.ts";
import { isTemplate } from "./templates/names.ts";

/** Where the development inbox listens, as an offset from NOTIFYX_BASE_PORT; on this machine alone, since it takes mails of anyone. */
export const INBOX_HOST = "127.0.0.1";
export const INBOX_PORT_OFFSET = 700;
/** Where an access token for Gmail comes from. */
const GMAIL_TOKENS = "https://accounts.google.com/o/oauth2/token";

const sender = v.pipe(
  v.string(),
  v.check(
    (text) => /^[^\p{Cc}<>]*$|^[^\p{Cc}<>]*<[^\p{Cc}<>]+>$/u.test(text) && isAddress(addressOf(text)),
    "a sender such as Notifyx <notifyx@example.org>",
  ),
);
const nonEmpty = v.pipe(v.string(), v.nonEmpty("a text"));
const file = v.pipe(
  v.string(),
  v.check((path) => /^\//.test(path) && !path.includes(","), "the absolute path of a file, without a comma"),
);
/** What it says of TLS must be understood: a word that isn't would leave a password in the open. */
const smtpUrl = v.pipe(
  v.string(),
  v.check(
    isSmtpUrl,
    "a URL such as smtp://USER:PASSWORD@HOST:587 or smtps://HOST, where an @ in user or password is %40 and a % is %25, " +
      "and behind it nothing, ?starttls=required or ?starttls=optional",
  ),
);
/** `60` or `60,digest=120`: seconds for all kinds, then for some. */
const secondsByKind = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}(,[a-z]+=\d{1,5})*$/, "seconds for all mails, then for kinds of them, such as 60,digest=120"),
  v.transform((text) => {
    const [all, ...kinds] = text.split(",");
    return { all: Number(all), byKind: new Map(kinds.map((kind) => kind.split("=")).map(([k, s]) => [k!, Number(s)])) };
  }),
  v.check(({ all, byKind }) => [all, ...byKind.values()].every((seconds) => seconds >= 1), "seconds from 1 on"),
  v.check(({ byKind }) => [...byKind.keys()].every(isTemplate), "seconds for kinds of mails that there are"),
);

export const MAIL_SETTINGS = {
  /** The SMTP server; without one the development inbox, which the mail nodes themselves serve. */
  NOTIFYX_SMTP_URL: v.optional(smtpUrl),
  /** Gmail's way to sign in, in place of a password in the URL: all four. */
  NOTIFYX_SMTP_OAUTH2_USER: v.optional(nonEmpty),
  NOTIFYX_SMTP_OAUTH2_CLIENT_ID: v.optional(nonEmpty),
  NOTIFYX_SMTP_OAUTH2_CLIENT_SECRET: v.optional(nonEmpty),
  NOTIFYX_SMTP_OAUTH2_REFRESH_TOKEN: v.optional(nonEmpty),
  NOTIFYX_SMTP_OAUTH2_TOKENS_URL: v.optional(url("https:", "http:"), GMAIL_TOKENS),
  NOTIFYX_MAIL_FROM: v.optional(sender, "Notifyx <notifyx@localhost>"),
  /** DKIM: all three, or none. */
  NOTIFYX_DKIM_DOMAIN: v.optional(nonEmpty),
  NOTIFYX_DKIM_SELECTOR: v.optional(nonEmpty),
  NOTIFYX_DKIM_KEY_FILE: v.optional(file),
  /** Connections to the SMTP server, and so mails at once: over all nodes, and of one. */
  NOTIFYX_MAIL_CONNECTIONS: v.optional(whole(1, 1_000), "20"),
  NOTIFYX_MAIL_CONNECTIONS_PER_NODE: v.optional(whole(1, 1_000), "10"),
  /** Over all nodes; 0 is no limit. */
  NOTIFYX_MAILS_PER_SECOND: v.optional(whole(0, 100_000), "0"),
  /** How long one attempt may take, by kind of mail. */
  NOTIFYX_MAIL_SECONDS: v.optional(secondsByKind, "60"),
  /** The most that is waited for before the second attempt, in seconds; it doubles with each further one, up to the next. */
  NOTIFYX_MAIL_RETRY_SECONDS: v.optional(whole(1, DAY / SECOND), "60"),
  NOTIFYX_MAIL_RETRY_MOST_SECONDS: v.optional(whole(1, 7 * DAY / SECOND), `${2 * HOUR / SECOND}`),
  /** After so long a mail that could not be sent is given up: RFC 5321, 4.5.4.1. */
  NOTIFYX_MAIL_GIVE_UP_SECONDS: v.optional(whole(0, 30 * DAY / SECOND), `${4 * DAY / SECOND}`),
  /** What one user may send by `sendEmail`. */
  NOTIFYX_MAILS_PER_HOUR_OF_USER: v.optional(whole(0, 1_000_000), "20"),
  ...LIMITS_SETTING,
  /** How long mails are kept once they are sent or have failed. */
  NOTIFYX_MAIL_KEEP_DAYS: v.optional(whole(1, 3650), "30"),
};

export type MailConfig = v.InferOutput<v.ObjectSchema<typeof MAIL_SETTINGS, undefined>>;

/** The SMTP server's URL: the given one, or the development inbox of this base port. */
export function smtpUrlOf(given: string | undefined, basePort: number): string {
  return given ?? `smtp://${INBOX_HOST}:${basePort + INBOX_PORT_OFFSET}`;
}

/** What is wrong with settings that belong together, in a line for each. */
export function mailFaults(config: MailConfig): string[] {
  return [oauth2Of, dkimOf].flatMap((read) => {
    try {
      read(config);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

/** @throws Error where one is given and another missing */
export function oauth2Of(config: MailConfig) {
  const { NOTIFYX_SMTP_OAUTH2_USER: user, NOTIFYX_SMTP_OAUTH2_CLIENT_ID: clientId } = config;
  const { NOTIFYX_SMTP_OAUTH2_CLIENT_SECRET: clientSecret, NOTIFYX_SMTP_OAUTH2_REFRESH_TOKEN: refreshToken } = config;
  const all = [user, clientId, clientSecret, refreshToken];
  if (all.every((one) => one === undefined)) return undefined;
  if (!user || !clientId || !clientSecret || !refreshToken) {
    throw new Error("NOTIFYX_SMTP_OAUTH2_USER, _CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN are all set, or none");
  }
  return { user, clientId, clientSecret, refreshToken, accessUrl: config.NOTIFYX_SMTP_OAUTH2_TOKENS_URL };
}

/** @throws Error where one is given and another missing, or the key can't be read */
export function dkimOf(config: MailConfig) {
  const { NOTIFYX_DKIM_DOMAIN: domainName, NOTIFYX_DKIM_SELECTOR: keySelector, NOTIFYX_DKIM_KEY_FILE: file } = config;
  if (domainName === undefined && keySelector === undefined && file === undefined) return undefined;
  if (!domainName || !keySelector || !file) {
    throw new Error("NOTIFYX_DKIM_DOMAIN, NOTIFYX_DKIM_SELECTOR and NOTIFYX_DKIM_KEY_FILE are all set, or none");
  }
  return { domainName, keySelector, privateKey: readKey(file) };
}

function readKey(file: string): string {
  try {
    const key = Deno.readTextFileSync(file);
    // By any other mails would go out unsigned, with no word of it.
    if (createPrivateKey(key).asymmetricKeyType === "rsa") return key;
  } catch {
    // As below.
  }
  throw new Error(`NOTIFYX_DKIM_KEY_FILE is ${JSON.stringify(file)}; it takes a file with an RSA private key as PEM`);
}

/** The address within `Name <address>`, or the text itself. */
export function addressOf(sender: string): string {
  return (/<([^<>]*)>$/.exec(sender)?.[1] ?? sender).trim();
}

/** A sender may be of this machine alone: `notifyx@localhost`. */
function isAddress(address: string): boolean {
  return validator.isEmail(address, { require_tld: false });
}

function isSmtpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "" || !/^\/?$/.test(url.pathname)) {
    return false;
  }
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return false;
  }
  return /^(\?starttls=(required|optional))?$/.test(url.search) && url.hash === "";
}
