/**
 * An SMTP server for tests (npm `smtp-server`), which keeps what it has taken and does to connections and mails what a test says.
 * `await using sink = await SmtpSink.start()`; its URL is for NOTIFYX_SMTP_URL.
 */

import type { AddressInfo, Socket } from "node:net";
import { delay } from "../../kit/time.ts";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came, headers and all. */
  readonly source: string;
  readonly messageId: string;
  readonly connection: Connection;
  /** When it had come, by performance.now(). */
  readonly at: number;
}

export interface Connection {
  readonly socket: Socket;
  /** Those that were open when it came, and itself. Not by times: this process may look at a beginning and an end late, and in any order. */
  readonly beside: ReadonlySet<Connection>;
}

/** The most of these that were open at one moment. */
export function mostAtOnce(connections: ReadonlySet<Connection>): number {
  return Math.max(0, ...[...connections].map(({ beside }) => beside.intersection(connections).size));
}

export interface Reply {
  readonly code: number;
  readonly text: string;
}

/** What a test does to a mail; undefined takes it. `cut` ends the connection, before or after the mail is kept. */
export type Deal = (
  mail: ReceivedMail,
) => Promise<Reply | "cut" | "keep and cut" | undefined> | Reply | "cut" | "keep and cut" | undefined;

export interface SinkOptions {
  readonly deal?: Deal;
  /** Refuses a connection by its greeting, or cuts it, where it answers something. */
  readonly greet?: () => Promise<Reply | "cut" | undefined> | Reply | "cut" | undefined;
  /** Refuses a recipient, where it answers something. */
  readonly recipient?: (address: string) => Reply | undefined;
  readonly server?: SMTPServerOptions;
}

export class SmtpSink implements AsyncDisposable {
  readonly received: ReceivedMail[] = [];
  /** All that there were. */
  readonly connections = new Set<Connection>();
  readonly #open = new Set<Connection>();
  /** The last one of each address. */
  readonly #byName = new Map<string, Connection>();
  /** The kernel's numbers of the clients' sockets. */
  readonly #inodes = new Map<Connection, string>();
  readonly #server: SMTPServer;

  private constructor({ deal, greet, recipient, server }: SinkOptions) {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      logger: false,
      ...server,
      onConnect: async (session, done) => {
        const reply = await greet?.();
        if (reply === "cut") return this.#cut(session);
        done(reply === undefined ? null : errorOf(reply));
      },
      onRcptTo: ({ address }, _session, done) => {
        const reply = recipient?.(address);
        done(reply === undefined ? null : errorOf(reply));
      },
      onData: async (stream, session, done) => {
        const connection = this.#byName.get(nameOf(session))!;
        // One that breaks off is none.
        const mail = await read(stream, session, connection).catch(() => undefined);
        if (mail === undefined) return;
        const deed = await deal?.(mail);
        if (deed === undefined || deed === "keep and cut") this.received.push(mail);
        if (deed === undefined) return done();
        if (typeof deed === "object") return done(errorOf(deed));
        this.#cut(session);
      },
    });
    this.#server.on("error", () => {});
    this.#server.server.on("connection", (socket: Socket) => this.#opened(socket));
  }

  #opened(socket: Socket): void {
    const beside = new Set<Connection>();
    const connection = { socket, beside };
    this.connections.add(connection);
    this.#byName.set(nameOf(socket), connection);
    this.#open.add(connection);
    socket.once("close", () => this.#closed(connection));
    this.#settle(connection);
    for (const one of this.#open) beside.add(one);
  }

  /** What its client has closed is closed, though its end has not been read here yet; also the new one itself. */
  #settle(opened: Connection): void {
    const inodes = connectedClients(this.port);
    if (inodes === undefined) return;
    this.#inodes.set(opened, inodes.get(opened.socket.remotePort!) ?? "");
    for (const connection of this.#open) {
      const inode = inodes.get(connection.socket.remotePort!);
      // Another's, where the port is another's by now.
      if (inode === undefined || inode !== this.#inodes.get(connection)) this.#closed(connection);
    }
  }

  #closed(connection: Connection): void {
    this.#open.delete(connection);
    this.#inodes.delete(connection);
  }

  static async start(options: SinkOptions = {}, port = 0): Promise<SmtpSink> {
    const sink = new SmtpSink(options);
    await new Promise<void>((resolve, reject) => {
      sink.#server.server.once("error", reject);
      sink.#server.listen(port, "127.0.0.1", () => resolve());
    });
    return sink;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** For so long nobody can connect; who is connected goes on. */
  async shut(ms: number): Promise<void> {
    const open = this.close();
    await delay(ms);
    await open();
  }

  /** The same until the answer is called. */
  close(): () => Promise<void> {
    const { port } = this;
    this.#server.server.close();
    return () => new Promise((resolve) => this.#server.server.listen(port, "127.0.0.1", resolve));
  }

  cutAll(): void {
    for (const { socket } of this.connections) socket.destroy();
  }

  #cut(session: SMTPServerSession): void {
    this.#byName.get(nameOf(session))?.socket.destroy();
  }

  /** The ids of what was received, each as often as it came. */
  ids(): string[] {
    return this.received.map(({ messageId }) => messageId.replace(/^<|@.*$/g, ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function nameOf({ remoteAddress, remotePort }: { remoteAddress?: string; remotePort?: number }): string {
  return `${remoteAddress}:${remotePort}`;
}

async function read(
  stream: AsyncIterable<Uint8Array>,
  session: SMTPServerSession,
  connection: Connection,
): Promise<ReceivedMail> {
  const chunks: BlobPart[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  const source = await new Blob(chunks).text();
  const { mailFrom, rcptTo } = session.envelope;
  return {
    from: mailFrom ? mailFrom.address : "",
    to: rcptTo.map(({ address }) => address),
    source,
    messageId: /^Message-ID: (.*)$/im.exec(source)?.[1]?.trim() ?? "",
    connection,
    at: performance.now(),
  };
}

/**
 * The clients whose connection to `port` of this machine is closed by neither side: their ports, and the inodes of their sockets.
 * Undefined where this is no Linux machine. Each was open when the table's reading began, if it was made before.
 */
function connectedClients(port: number): Map<number, string> | undefined {
  try {
    const table = Deno.readTextFileSync("/proc/net/tcp");
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    // The client's end, since its close reaches the server's only when the kernel comes to it:
    // sl local_address rem_address st (01 is ESTABLISHED) queues timer retransmits uid timeout inode
    const row = new RegExp(`: 0100007F:([0-9A-F]{4}) 0100007F:${hex} 01 \\S+ \\S+ \\S+ +\\d+ +\\d+ (\\d+) `, "g");
    return new Map([...table.matchAll(row)].map(([, client, inode]) => [parseInt(client!, 16), inode!]));
  } catch {
    return undefined;
  }
}

function errorOf({ code, text }: Reply): Error {
  return Object.assign(new Error(text), { responseCode: code });
}
