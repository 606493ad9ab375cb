/**
 * What PostgreSQL writes, made short: a start and a stop take a dozen lines that nobody needs while all is well.
 * What matters goes to stderr; everything is kept for a while, to be shown if the server can't start.
 */

import { TextLineStream } from "../lines.ts";

const KEPT_LINES = 50;
/** A part of a killed server still holds its memory, or its lock file names a process that is alive. */
const REMAINS = /pre-existing shared memory block|lock file ".*" already exists/;
/** An ERROR is for whoever sent the statement, and they were told. */
const WORTH_READING =
  /^(PANIC|FATAL):|^(LOG|WARNING): .*(terminated by|crash|corrupt|invalid|could not|reinitializing|not properly shut down)/;
/** Said of the end of the log that a recovery reads, and to clients that come too early or stay too long. */
const ROUTINE =
  /invalid record length|the database system is (starting|shutting|not yet)|terminating connection due to/;

export class ServerLog {
  /** Whether the server said that another's remains are in its way. */
  foundRemains = false;
  readonly #kept: string[] = [];

  constructor(private readonly stopping: AbortSignal) {}

  async follow(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const line of stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
      this.#kept.push(line);
      if (this.#kept.length > KEPT_LINES) this.#kept.shift();
      if (REMAINS.test(line)) this.foundRemains = true;
      else if (!this.stopping.aborted && WORTH_READING.test(line) && !ROUTINE.test(line)) console.error(line);
    }
  }

  showAll(): void {
    for (const line of this.#kept.splice(0)) console.error(line);
  }
}
