/**
 * SMTP as far as a mail is kept: npm smtp-server speaks it. In: mails of any sender and for any recipient. Out: rows of inbox_mails, and a
 * 250 once they are there. What is too much at this moment is refused with a 4yz, after which a sender comes again.
 */

import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import type { Sql } from "../../../kit/database.ts";
import type { Logger } from "../../../kit/log.ts";
import { MINUTE, SECOND, withTimeLimit } from "../../../kit/time.ts";
import { readHead } from "./parsed.ts";
import { keepMail } from "./store.ts";

/** The largest mail, in bytes: the longest message of sendEmail fits, as HTML and as text. */
export const MAIL_LIMIT_BYTES = 4 * 1024 * 1024;
export const RECIPIENTS_LIMIT = 100;
export const CONNECTIONS_LIMIT = 100;
/** What all connections together have sent and is not kept yet, in bytes. */
const HELD_LIMIT_BYTES = 64 * 1024 * 1024;
const KEEP_LIMIT_MS = 10 * SECOND;
/** How long a stop waits for mails that are on their way, in milliseconds. */
const CLOSE_MS = SECOND;

export interface ReceiverOptions {
  readonly sql: Sql;
  readonly log: Logger;
  /** A connection on which no mail was completed for so long is closed, in milliseconds; a minute by default. */
  readonly mailLimitMs?: number;
}

export class Receiver {
  readonly #server: SMTPServer;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #heldBytes = 0;

  constructor(private readonly options: ReceiverOptions) {
    this.#server = new SMTPServer({
      name: "localhost",
      banner: "Notifyx development inbox",
      logger: false,
      authOptional: true,
      hideSTARTTLS: true,
      disabledCommands: ["AUTH", "STARTTLS"],
      // It would ask a name server who a caller is.
      disableReverseLookup: true,
      size: MAIL_LIMIT_BYTES,
      maxClients: CONNECTIONS_LIMIT,
      closeTimeout: CLOSE_MS,
      onConnect: (session, answer) => {
        this.#limitTime(session);
        answer();
      },
      onRcptTo: (_address, { envelope }, answer) => {
        answer(envelope.rcptTo.length < RECIPIENTS_LIMIT ? null : refusal(452, "too many recipients"));
      },
      onData: (stream, session, answer) => {
        this.#receive(stream, session)
          .then(() => answer(null, "kept in the inbox"), answer)
          .finally(() => this.#limitTime(session));
      },
      onClose: ({ id }) => this.#endTimer(id),
    });
  }

  /** @throws Error with the system's code, such as EADDRINUSE */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.on("error", (error) => {
        reject(error);
        this.options.log.debug("the development inbox: {error}", { error });
      });
      this.#server.listen(port, host, resolve);
    });
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  /** The port is free at once; mails that are on their way get a moment. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(resolve));
    for (const id of this.#timers.keys()) this.#endTimer(id);
  }

  async #receive(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<void> {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    let refused: Error | undefined;
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array<ArrayBuffer>>) {
        // A refused mail is read to its end all the same, or its sender would not hear the answer.
        if (refused !== undefined) continue;
        bytes += chunk.byteLength;
        this.#heldBytes += chunk.byteLength;
        chunks.push(chunk);
        if (stream.sizeExceeded) refused = refusal(552, `a mail takes at most ${MAIL_LIMIT_BYTES} bytes`);
        else if (this.#heldBytes > HELD_LIMIT_BYTES) refused = refusal(452, "too much at once, try again");
        if (refused !== undefined) chunks.length = 0;
      }
      if (refused !== undefined) throw refused;
      await withTimeLimit("keeping a mail", KEEP_LIMIT_MS, this.#keep(envelope, await new Blob(chunks).bytes()));
    } finally {
      this.#heldBytes -= bytes;
    }
  }

  async #keep({ mailFrom, rcptTo }: SMTPServerSession["envelope"], source: Uint8Array): Promise<void> {
    const { sql, log } = this.options;
    try {
      const sender = mailFrom === false ? "" : mailFrom.address;
      await keepMail(sql, {
        sender,
        recipients: rcptTo.map(({ address }) => address),
        ...await readHead(source),
        source,
      });
    } catch (error) {
      log.warning("the development inbox could not keep a mail: {error}", { error });
      throw refusal(451, "not kept, try again");
    }
  }

  /** From now on this connection has so long for its next mail. */
  #limitTime({ id }: SMTPServerSession): void {
    this.#endTimer(id);
    const close = () => {
      this.#timers.delete(id);
      for (const connection of this.#server.connections) {
        // It says 421 and closes.
        if (connection.id === id) connection.send(421, "no mail for too long");
      }
    };
    this.#timers.set(id, setTimeout(close, this.options.mailLimitMs ?? MINUTE));
  }

  #endTimer(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
