/** `deno task demo` as people run it, with the permissions of the task. */

import config from "../../deno.json" with { type: "json" };
import { TextLineStream } from "../../cluster/lines.ts";

const CHECKOUT = new URL("../..", import.meta.url);
/** `deno run …`, in the program that runs this. */
const [, ...COMMAND] = config.tasks.demo.command.split(" ");

export class Demo {
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;

  constructor(args: string[], env: Record<string, string> = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...COMMAND, ...args],
      cwd: CHECKOUT,
      env,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
      for await (const line of lines) this.lines.push(line);
    };
    this.#reading = Promise.all([this.#child.stdout, this.#child.stderr].map(read));
  }

  /** The exit code, once all lines are there. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#reading;
    return code;
  }

  /** Nothing happens where it has ended. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  find(pattern: RegExp): RegExpExecArray | undefined {
    return this.lines.map((line) => pattern.exec(line)).find((found) => found !== null) ?? undefined;
  }
}
