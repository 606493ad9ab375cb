/** nats-server with its WebSocket, where it is installed: on a configuration of its own, on free ports of this machine, on one core. */

import { delay, SECOND } from "../../kit/time.ts";
import { onCore } from "../lib/cores.ts";

/** What all sockets subscribe to. */
const SUBJECT = "fan";
/** Of Debian it is where only root looks for programs. */
const PROGRAMS = ["nats-server", "/usr/sbin/nats-server"];
const START_LIMIT_MS = 10 * SECOND;
const encoder = new TextEncoder();

/** What a socket says, in a frame, to be subscribed once the server answers with PONG. */
export const NATS_SUBSCRIBE = `CONNECT {"verbose":false}\r\nSUB ${SUBJECT} 1\r\nPING\r\n`;

/** The program; undefined where there is none. */
export async function natsProgram(): Promise<string | undefined> {
  for (const program of PROGRAMS) {
    try {
      const { success } = await new Deno.Command(program, { args: ["--version"], stdout: "null" }).output();
      if (success) return program;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

export interface Nats {
  readonly webSocketUrl: string;
  /** Resident memory, in bytes. */
  rss(): Promise<number>;
  /** Publishes all of it in one write, on the one connection that publishes. */
  publish(messages: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startNats(program: string, core: number): Promise<Nats> {
  const folder = await Deno.makeTempDir();
  const [port, webSocketPort] = freePorts(2) as [number, number];
  const config = `${folder}/nats.conf`;
  await Deno.writeTextFile(
    config,
    `host: "127.0.0.1"
port: ${port}
websocket {
  host: "127.0.0.1"
  port: ${webSocketPort}
  no_tls: true
}
`,
  );
  const child = new Deno.Command(program, {
    args: ["--config", config, "--log", `${folder}/nats.log`],
    // As many as it may use at once: it is on one core.
    env: { GOMAXPROCS: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await child.status;
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await onCore(core, child.pid);
    // Both listen before it says that it is ready.
    (await connect(webSocketPort)).close();
    const publisher = await connect(port);
    const drained = drain(publisher);
    await writeAll(publisher, 'CONNECT {"verbose":false}\r\n');
    return {
      webSocketUrl: `ws://127.0.0.1:${webSocketPort}/`,
      rss: () => residentBytes(child.pid),
      publish: (messages) =>
        writeAll(
          publisher,
          messages.map((text) => `PUB ${SUBJECT} ${encoder.encode(text).length}\r\n${text}\r\n`).join(""),
        ),
      async stop() {
        await stop();
        await drained;
        publisher.close();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Free a moment ago, which has to do: nats-server doesn't say in time which it took. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

async function connect(port: number): Promise<Deno.TcpConn> {
  const giveUpAt = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connection.setNoDelay(true);
      return connection;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await delay(20);
    }
  }
}

/** Reads what the server says, and answers its pings, until it ends. */
async function drain(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    const read = await connection.read(buffer).catch(() => null);
    if (read === null) return;
    if (new TextDecoder().decode(buffer.subarray(0, read)).includes("PING")) await writeAll(connection, "PONG\r\n");
  }
}

async function writeAll(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", String(pid)] }).output();
  return Number(new TextDecoder().decode(stdout)) * 1024;
}
