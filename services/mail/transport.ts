/**
 * One connection to the SMTP server, by nodemailer: it is opened for the first mail, kept for the next ones, and closed when nothing has
 * come for a while. In: a message, and until when. Out: that the server has taken it, or a {@link SendingError}.
 */

import { connect as connectTcp, type Socket } from "node:net";
import { createTransport, type SMTPPoolOptions } from "nodemailer";
import { SECOND } from "../../kit/time.ts";
import type { Message } from "./message.ts";

export interface TransportOptions {
  readonly url: URL;
  /** What stands in HELO. */
  readonly name: string;
  readonly oauth2?: OAuth2;
  readonly dkim?: { readonly domainName: string; readonly keySelector: string; readonly privateKey: string };
}

export interface OAuth2 {
  readonly user: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly accessUrl: string;
}

/** Limits of a connection's phases, in milliseconds; nodemailer's own are 30 s to 10 minutes. */
const CONNECT_LIMIT_MS = 10 * SECOND;
const GREETING_LIMIT_MS = 10 * SECOND;
const SILENCE_LIMIT_MS = 30 * SECOND;
/** A connection without a mail is closed after so long, in milliseconds. */
const IDLE_MS = 15 * SECOND;
/** Mails of one connection: servers limit them, and a new one may reach another machine behind the same name. */
const MOST_MAILS = 1_000;

/** Why a mail was not sent. Its message holds what the server said, or what went wrong on the way, and no secret of ours. */
export class SendingError extends Error {
  override readonly name = "SendingError";
  /** @param trouble what keeps all mails from going out, where it isn't about this one: for the log, since it may name hosts */
  constructor(message: string, readonly isPermanent: boolean, readonly trouble?: string) {
    super(message);
  }
}

export class Transport {
  readonly #mailer;
  /** Those that are open: one, and for a moment one that is closing. */
  readonly #sockets = new Set<Socket>();
  /** Counts the connections that were wanted: who wants one gives up the one before. */
  #wanted = 0;
  #isOpen = true;

  constructor(private readonly options: TransportOptions) {
    this.#mailer = createTransport(this.#poolOptions());
  }

  /** @throws SendingError */
  async send(message: Message, signal: AbortSignal): Promise<void> {
    try {
      await this.#mailer.sendMail({ ...message, signal });
    } catch (error) {
      if (!this.#isOpen && !signal.aborted) throw new SendingError("the mail node closed its connection", false);
      throw sendingError(error, signal);
    }
  }

  /** Cuts off what is being sent, and resolves when the connection is closed. */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.#mailer.close({ force: true });
    // Also one that is not made yet, which nodemailer knows nothing of.
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed();
  }

  #poolOptions(): SMTPPoolOptions & { pool: true } {
    const { url, name, oauth2, dkim } = this.options;
    const secure = url.protocol === "smtps:";
    const port = Number(url.port || (secure ? 465 : 25));
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const user = decodeURIComponent(url.username);
    return {
      pool: true,
      maxConnections: 1,
      maxMessages: MOST_MAILS,
      // The queue repeats, and knows how often.
      maxRequeues: 0,
      idleTimeout: IDLE_MS,
      host,
      port,
      secure,
      name,
      requireTLS: requiresTls(url, oauth2 !== undefined || user !== ""),
      ...oauth2
        ? { auth: { type: "OAuth2", ...oauth2 } }
        : user
        ? { auth: { user, pass: decodeURIComponent(url.password) } }
        : {},
      ...dkim ? { dkim } : {},
      connectionTimeout: CONNECT_LIMIT_MS,
      greetingTimeout: GREETING_LIMIT_MS,
      socketTimeout: SILENCE_LIMIT_MS,
      // What is given up is given up: its place is free for another at once.
      socketCloseTimeout: 0,
      disableFileAccess: true,
      disableUrlAccess: true,
      getSocket: (_, callback) => void this.#connect(host, port, callback),
    };
  }

  /** By its name, which is what this process may connect to; and not before the one before is closed, so that there is never a second. */
  async #connect(host: string, port: number, callback: (error: Error | null, socket?: { connection: Socket }) => void) {
    const wanted = ++this.#wanted;
    for (const socket of this.#sockets) if (socket.connecting) socket.destroy();
    while (this.#sockets.size > 0) await this.#closed();
    if (!this.#isOpen || wanted !== this.#wanted) return callback(new Error("the connection is not wanted any more"));
    const socket = connectTcp({ host, port });
    this.#sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(new Error("it took too long")), CONNECT_LIMIT_MS);
    let failure: Error | undefined;
    socket.once("close", () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
      const trouble = failure?.message ?? "it closed the connection";
      if (!connected) callback(new SendingError("the SMTP server could not be reached", false, trouble));
    });
    let connected = false;
    socket.on("error", (error) => failure = error);
    socket.once("connect", () => {
      clearTimeout(timer);
      connected = true;
      callback(null, { connection: socket });
    });
  }

  /** By their events: a socket says that it is closed before the system has closed it. */
  async #closed(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
  }
}

/** Whether nothing is said in the open: as the URL's `starttls` says, else where we sign in, unless that is on this machine. */
export function requiresTls(url: URL, signsIn: boolean): boolean {
  const asked = url.searchParams.get("starttls");
  if (asked !== null) return asked === "required";
  return signsIn && !["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
}

/** What nodemailer threw: only a 5yz of the server, or a message that can't be one, is permanent. */
function sendingError(error: unknown, signal: AbortSignal): SendingError {
  if (signal.aborted) {
    const why = signal.reason instanceof Error ? signal.reason.message : "the attempt was stopped";
    return new SendingError(why, false);
  }
  if (error instanceof SendingError) return error;
  const { message, code, responseCode, response } = error as Partial<
    { message: string; code: string; responseCode: number; response: string }
  >;
  // Wrong credentials are a 5yz too, and the settings' fault: the mail is good, and whoever runs the system can set them right.
  if (code === "ETLS" || /certificate/i.test(response ? "" : message ?? "")) {
    return new SendingError("the SMTP server offers no TLS that can be trusted", false, message);
  }
  const isOurs = code === "EAUTH" || code === "ENOAUTH" || code === "EOAUTH2";
  // Not nodemailer's message: it may hold what a server of tokens was told.
  if (isOurs) return new SendingError("the SMTP server does not let this system in", false, response || code);
  // What is no reply at all says nothing about the mail.
  if (response) return new SendingError(response, responseCode !== undefined && isPermanent(responseCode));
  if (code === "EENVELOPE" || code === "EMESSAGE") return new SendingError(message ?? "it is no mail", true);
  // The system's own words name hosts and ports, which are nothing for who sends a mail.
  const isLate = code === "ETIMEDOUT";
  return new SendingError(
    isLate ? "the SMTP server did not answer in time" : "the connection to the SMTP server broke off",
    false,
  );
}

function isPermanent(replyCode: number): boolean {
  return replyCode >= 500 && replyCode < 600;
}
