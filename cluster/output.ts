/**
 * What the supervisor and its processes print: a line each, with the name of who says it in front, coloured on a terminal.
 * Writing never blocks: when nobody reads our stdout, lines are dropped and counted, and a signal still stops everything.
 */

/** What may wait to be written, in bytes, before lines are dropped. */
const MOST_WAITING = 4 * 1024 * 1024;
const NAME_WIDTH = 16;
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
const ESCAPES = new RegExp(String.raw`\u001b\[[0-9;]*[A-Za-z]`, "g");

export interface OutputOptions {
  readonly colour: boolean;
  readonly write: (bytes: Uint8Array) => Promise<number>;
}

export class Output {
  readonly #colours = new Map<string, number>();
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  constructor(private readonly options: OutputOptions = terminal()) {}

  /** A line that is nobody's: the table, the line that says ready. */
  plain(text: string): void {
    this.#push(`${text}\n`);
  }

  /** A line of the process `name`. */
  line(name: string, text: string): void {
    const label = name.padEnd(NAME_WIDTH);
    if (!this.options.colour) return this.#push(`${label}| ${text.replaceAll(ESCAPES, "")}\n`);
    let colour = this.#colours.get(name);
    if (colour === undefined) {
      colour = COLOURS[this.#colours.size % COLOURS.length] ?? 0;
      this.#colours.set(name, colour);
    }
    this.#push(`\x1b[${colour}m${label}|\x1b[0m ${text}\x1b[0m\n`);
  }

  /** Waits until all is written, at most `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs));
    await Promise.race([this.#writing, limit]);
    clearTimeout(timer);
  }

  #push(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (this.#waitingBytes + bytes.length > MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= this.#writeAll().finally(() => this.#writing = undefined);
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      if (this.#dropped > 0) lines.push(new TextEncoder().encode(`(${this.#dropped} lines were dropped here)\n`));
      this.#dropped = 0;
      for (let bytes of lines) {
        this.#waitingBytes -= Math.min(bytes.length, this.#waitingBytes);
        try {
          while (bytes.length > 0) bytes = bytes.subarray(await this.options.write(bytes));
        } catch {
          return; // The reader is gone; what we run goes on without it.
        }
      }
    }
  }
}

function terminal(): OutputOptions {
  return {
    colour: Deno.stdout.isTerminal() && !Deno.noColor,
    write: (bytes) => Deno.stdout.write(bytes),
  };
}
