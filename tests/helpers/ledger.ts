/** The participant that is not TypeScript (tests/participant/participant.py) as a process of its own, beside a system. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { call } from "../../kit/call.ts";
import { SECOND } from "../../kit/time.ts";
import { SECRET, type System } from "./system.ts";

const PROGRAM = fileURLToPath(new URL("../participant/participant.py", import.meta.url));
/** A message with this word is refused by it. */
export const REFUSED_WORD = "unmentionable";

/** Whether this machine can run it. */
export async function hasPython(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("python3", { args: ["-c", "import sqlite3"] }).output();
    return success;
  } catch {
    return false;
  }
}

export interface Entry {
  readonly id: string;
  readonly message: string;
}

export class Ledger implements AsyncDisposable {
  #process: Deno.ChildProcess | undefined;

  private constructor(
    private readonly system: System,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(system: System): Promise<Ledger> {
    // A port that is free now, and the same after each restart.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const ledger = new Ledger(system, await Deno.makeTempDir({ prefix: "notifyx-ledger-" }), port);
    await ledger.start();
    return ledger;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the process, also once more, on the same port and store; resolves when it listens. */
  async start(): Promise<void> {
    this.#process = new Deno.Command("python3", {
      args: [
        ...["-B", PROGRAM, "--port", `${this.port}`, "--store", join(this.folder, "ledger.db")],
        ...["--discovery", this.system.url("discovery"), "--refuse", REFUSED_WORD],
      ],
      env: { NOTIFYX_CLUSTER_SECRET: SECRET },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = this.#process.stdout.getReader();
    const { value } = await reader.read();
    assert.match(new TextDecoder().decode(value), /^ledger ready/);
    reader.releaseLock();
    this.#process.stdout.pipeTo(new WritableStream()).catch(() => {});
  }

  signal(signal: Deno.Signal): void {
    this.#process?.kill(signal);
  }

  /** Sends a signal that ends the process, and waits until it has ended. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.signal(signal);
    await this.#process?.status;
    this.#process = undefined;
  }

  /** What it holds as committed. */
  async entries(): Promise<Entry[]> {
    return (await this.#read()).entries;
  }

  /** How many transactions it holds prepared. */
  async prepared(): Promise<number> {
    return (await this.#read()).prepared;
  }

  async messages(): Promise<string[]> {
    return (await this.entries()).map(({ message }) => message);
  }

  /** `unknown`, `prepared`, `committed` or `aborted`. */
  async state(transactionId: string): Promise<string> {
    const url = `${this.url}/api/transactions_2pc/${transactionId}`;
    const { body } = await call(url, { secret: SECRET, limitMs: 5 * SECOND });
    return (body as { state: string }).state;
  }

  /** Writes another state into its store, past the program; what is prepared then has its deadline in an hour. */
  async falsify(transactionId: string, state: string): Promise<void> {
    const program = "import sqlite3, sys, time; sql = sqlite3.connect(sys.argv[1]); sql.execute(" +
      "'update outcomes set state = ?, inquire_at = ? where transaction_id = ?', (sys.argv[3], time.time() + 3600, sys.argv[2])" +
      "); sql.commit()";
    const args = ["-c", program, join(this.folder, "ledger.db"), transactionId, state];
    const { success, stderr } = await new Deno.Command("python3", { args }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  }

  async #read(): Promise<{ entries: Entry[]; prepared: number }> {
    const { body } = await call(`${this.url}/ledger`, { secret: SECRET, limitMs: 5 * SECOND });
    return body as { entries: Entry[]; prepared: number };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process !== undefined) await this.end("SIGKILL");
    await Deno.remove(this.folder, { recursive: true });
  }
}
