/** The ways into an SMTP server that lets not everybody in, and what it gets: over STARTTLS, with a password or by OAuth2, signed by DKIM. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { generate } from "selfsigned";
import type { SMTPServerOptions } from "smtp-server";
import { SmtpSink } from "./helpers/smtp_sink.ts";
import { startSystem, type System, until } from "./helpers/system.ts";
import { handOver } from "./mail/members.ts";
import { Transport } from "../services/mail/transport.ts";

const COUNTS = { mail: 1, gateway: 0, notifications: 0, counter: 0, avatar: 0 };
const LIMIT_MS = 20_000;

/** A certificate of 127.0.0.1 that signs itself, and a folder with it and its key. */
async function certificate() {
  const folder = Deno.makeTempDirSync({ prefix: "notifyx-" });
  const altNames = [{ type: 7 as const, ip: "127.0.0.1" }];
  const { private: key, public: publicKey, cert } = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    extensions: [{ name: "subjectAltName", altNames }],
    algorithm: "sha256",
  });
  Deno.writeTextFileSync(`${folder}/cert.pem`, cert);
  Deno.writeTextFileSync(`${folder}/key.pem`, key);
  return {
    key,
    cert,
    publicKey: publicKey.replaceAll(/-----.*-----|\s/g, ""),
    certFile: `${folder}/cert.pem`,
    keyFile: `${folder}/key.pem`,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

/** Nobody gets in without TLS and `onAuth`. */
function strict(
  { key, cert }: { key: string; cert: string },
  authMethods: string[],
  onAuth: SMTPServerOptions["onAuth"],
): SMTPServerOptions {
  return { key, cert, authMethods, onAuth, authOptional: false, disabledCommands: [] };
}

async function stateOf(system: System, id: string) {
  const [row] = await system.database("mail")<{ status: string; error: string | null; attempts: number }[]>`
    select status, error, attempts from emails where id = ${id}`;
  return row!;
}

function sent(system: System, id: string): Promise<void> {
  return until("it is sent", async () => (await stateOf(system, id)).status === "SENT", LIMIT_MS);
}

Deno.test("mail transport - OAuth2 as Gmail has it, over STARTTLS, with a token that is renewed when it is refused; DKIM", async () => {
  using files = await certificate();
  const asked: string[] = [];
  let gives = false;
  const secret = "client-secret-7";
  await using tokens = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const form = new URLSearchParams(await request.text());
    if (!gives) return Response.json({ error: "invalid_grant", error_description: secret }, { status: 400 });
    deepEqual(Object.fromEntries(form), {
      client_id: "client",
      client_secret: secret,
      refresh_token: "refresh",
      grant_type: "refresh_token",
    });
    asked.push(`token-${asked.length + 1}`);
    return Response.json({ access_token: asked.at(-1), expires_in: 3600, token_type: "Bearer" });
  });
  let taken = "token-2";
  const users: string[] = [];
  await using sink = await SmtpSink.start({
    server: strict(files, ["XOAUTH2"], ({ username, accessToken, method }, { secure }, done) => {
      if (method !== "XOAUTH2" || accessToken !== taken) {
        return done(null, { data: { status: "401", schemes: "bearer" } });
      }
      users.push(`${username} ${secure ? "over TLS" : "in the open"}`);
      done(null, { user: username });
    }),
  });
  await using system = await startSystem({
    counts: COUNTS,
    env: {
      DENO_CERT: files.certFile,
      NOTIFYX_SMTP_URL: sink.url,
      NOTIFYX_SMTP_OAUTH2_USER: "notifyx@example.org",
      NOTIFYX_SMTP_OAUTH2_CLIENT_ID: "client",
      NOTIFYX_SMTP_OAUTH2_CLIENT_SECRET: secret,
      NOTIFYX_SMTP_OAUTH2_REFRESH_TOKEN: "refresh",
      NOTIFYX_SMTP_OAUTH2_TOKENS_URL: `http://127.0.0.1:${tokens.addr.port}/token`,
      NOTIFYX_MAIL_FROM: "Notifyx <notifyx@example.org>",
      NOTIFYX_MAIL_CONNECTIONS: "1",
      NOTIFYX_MAIL_RETRY_SECONDS: "1",
      NOTIFYX_MAIL_RETRY_MOST_SECONDS: "1",
      NOTIFYX_DKIM_DOMAIN: "example.org",
      NOTIFYX_DKIM_SELECTOR: "s1",
      NOTIFYX_DKIM_KEY_FILE: files.keyFile,
    },
  });
  const [id] = await handOver(system, ["someone@example.org"]) as [string];
  await until("it is refused", async () => (await stateOf(system, id)).error !== null, LIMIT_MS);
  const refused = await stateOf(system, id);
  equal(refused.error, "the SMTP server does not let this system in");
  ok(refused.status !== "FAILED");
  gives = true;
  await sent(system, id);
  deepEqual(users, ["notifyx@example.org over TLS"]);
  // The first one was refused, so another was asked for.
  deepEqual(asked, ["token-1", "token-2"]);

  const { source } = sink.received[0]!;
  const dns = (name: string) =>
    name === "s1._domainkey.example.org"
      ? Promise.resolve([[`v=DKIM1; k=rsa; p=${files.publicKey}`]])
      : Promise.reject(Object.assign(new Error(name), { code: "ENOTFOUND" }));
  const verdicts = async (text: string) =>
    (await dkimVerify(text, { resolver: dns })).results.map(({ status, signingDomain }) => [
      signingDomain,
      status.result,
    ]);
  deepEqual(await verdicts(source), [["example.org", "pass"]]);
  deepEqual(await verdicts(source.replace("Subject: Soup", "Subject: Soap")), [["example.org", "fail"]]);
  deepEqual(await verdicts(source.replace("It is ready", "It is poison")), [["example.org", "neutral"]]);
  const signed = /\bh=([^;]+);/.exec(source.replaceAll(/\r\n\s+/g, ""))![1]!.toLowerCase().split(":");
  for (const name of ["from", "to", "subject", "date", "message-id"]) ok(signed.includes(name), name);

  // A token that has been called back is replaced as well, with no mail lost.
  taken = "token-3";
  sink.cutAll();
  const [next] = await handOver(system, ["someone@example.org"]) as [string];
  await sent(system, next);
  equal(asked.at(-1), "token-3");
});

Deno.test("mail transport - a password goes over STARTTLS alone, and to a server whose certificate is known", async () => {
  using files = await certificate();
  const users: string[] = [];
  await using sink = await SmtpSink.start({
    server: strict(files, ["PLAIN", "LOGIN"], ({ username, password }, { secure }, done) => {
      users.push(`${username} ${password} ${secure ? "over TLS" : "in the open"}`);
      done(null, { user: username });
    }),
  });
  const env = { NOTIFYX_MAIL_CONNECTIONS: "1", NOTIFYX_MAIL_RETRY_SECONDS: "1", NOTIFYX_MAIL_RETRY_MOST_SECONDS: "1" };
  const url = sink.url.replace("//", "//ann%40example.org:pass%20word@");
  {
    await using system = await startSystem({
      counts: COUNTS,
      env: { ...env, DENO_CERT: files.certFile, NOTIFYX_SMTP_URL: `${url}?starttls=required` },
    });
    const [id] = await handOver(system, ["someone@example.org"]) as [string];
    await sent(system, id);
    deepEqual(users.splice(0), ["ann@example.org pass word over TLS"]);
  }
  const said: string[] = [];
  await using system = await startSystem({
    counts: COUNTS,
    env: { ...env, NOTIFYX_SMTP_URL: url },
    onLine: (name, line) => name === "mail" && line.includes("mails don't go out") && said.push(line),
  });
  const [id] = await handOver(system, ["someone@example.org"]) as [string];
  await until("it is tried again", async () => (await stateOf(system, id)).attempts > 2, LIMIT_MS);
  equal((await stateOf(system, id)).error, "the SMTP server offers no TLS that can be trusted");
  // Once, however often it is tried.
  equal(said.length, 1);
  match(said[0]!, /certificate/);
  ok(!said[0]!.includes("pass"), said[0]);
  deepEqual(users, []);
});

Deno.test("mail transport - nothing is said in the open where TLS is required, to a server that offers none", async () => {
  let asked = 0;
  await using sink = await SmtpSink.start({
    server: { allowInsecureAuth: true, onAuth: (_auth, _session, done) => (asked++, done(null, { user: "ann" })) },
  });
  const message = {
    from: "a@example.org",
    to: { name: "", address: "b@example.org" },
    subject: "Soup",
    text: "x",
    html: "x",
    messageId: "<1@localhost>",
  };
  const url = sink.url.replace("//", "//ann:secret@");
  const send = async (options: string) => {
    const transport = new Transport({ url: new URL(`${url}${options}`), name: "localhost" });
    try {
      await transport.send(message, AbortSignal.timeout(LIMIT_MS));
    } finally {
      await transport.close();
    }
  };
  await rejects(send("?starttls=required"), {
    message: "the SMTP server offers no TLS that can be trusted",
    isPermanent: false,
  });
  deepEqual([asked, sink.received.length], [0, 0]);
  await send("");
  deepEqual([asked, sink.received.length], [1, 1]);
});
