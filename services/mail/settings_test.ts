/** Mail's settings: what is wrong is told at the start, and not by mails that don't go out. */

import { deepEqual, match } from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { checkConfig } from "../../kit/config.ts";
import { MAIL_SETTINGS, mailFaults } from "./settings.ts";

function faultsOf(environment: Record<string, string>): string[] {
  const read = checkConfig(MAIL_SETTINGS, (name) => environment[name]);
  return "config" in read ? mailFaults(read.config) : read.faults;
}

Deno.test("mail settings - an SMTP server's URL is one that is understood as a whole", () => {
  const good = ["h", "h:25", "u:p%40%25@h:587/", "[::1]:25", "h?starttls=required", "u:p@h?starttls=optional"];
  for (const rest of good) deepEqual(faultsOf({ NOTIFYX_SMTP_URL: `smtp://${rest}` }), [], rest);
  const wrong = ["", "u:p@", "u:secret%@h", "h?starttls=require", "h?starttls", "h?pool=true", "h/x", "h#x"];
  for (const url of [...wrong.map((rest) => `smtp://${rest}`), "smtp:h", "http://h", "h:25"]) {
    const faults = faultsOf({ NOTIFYX_SMTP_URL: url });
    match(faults.join(), /^NOTIFYX_SMTP_URL holds a value that is not shown here; it takes a URL such as [^\n]*$/, url);
  }
});

Deno.test("mail settings - a limit of time is for all kinds of mails, or for one that there is", () => {
  for (const good of ["60", "60,digest=120,plain=1"]) deepEqual(faultsOf({ NOTIFYX_MAIL_SECONDS: good }), []);
  for (const wrong of ["0", "60,digest=0", "60,digests=1", "60,constructor=1", "x"]) {
    match(faultsOf({ NOTIFYX_MAIL_SECONDS: wrong }).join(), /^NOTIFYX_MAIL_SECONDS is .*; it takes seconds/, wrong);
  }
});

Deno.test("mail settings - those that belong together are all set, or none, and a key is one", () => {
  const file = Deno.makeTempFileSync({ suffix: ".pem" });
  try {
    const dkim = { NOTIFYX_DKIM_DOMAIN: "example.org", NOTIFYX_DKIM_SELECTOR: "s1", NOTIFYX_DKIM_KEY_FILE: file };
    const all = "are all set, or none";
    deepEqual(faultsOf({ NOTIFYX_SMTP_OAUTH2_USER: "a", NOTIFYX_DKIM_KEY_FILE: file }), [
      `NOTIFYX_SMTP_OAUTH2_USER, _CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN ${all}`,
      `NOTIFYX_DKIM_DOMAIN, NOTIFYX_DKIM_SELECTOR and NOTIFYX_DKIM_KEY_FILE ${all}`,
    ]);
    const noKey = (
      path: string,
    ) => [`NOTIFYX_DKIM_KEY_FILE is "${path}"; it takes a file with an RSA private key as PEM`];
    deepEqual(faultsOf(dkim), noKey(file));
    deepEqual(faultsOf({ ...dkim, NOTIFYX_DKIM_KEY_FILE: `${file}.none` }), noKey(`${file}.none`));
    const write = (key: KeyObject) =>
      Deno.writeTextFileSync(file, key.export({ type: "pkcs8", format: "pem" }) as string);
    write(generateKeyPairSync("ed25519").privateKey);
    deepEqual(faultsOf(dkim), noKey(file));
    write(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
    deepEqual(faultsOf(dkim), []);
  } finally {
    Deno.removeSync(file);
  }
});
