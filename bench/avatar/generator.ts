/**
 * The load: plain keep-alive connections that each ask for a picture as soon as they have one, every one of them held to being a PNG of the
 * right size. Argument: GeneratorOptions. Prints its figures as JSON.
 */

import { AnswerReader } from "../lib/answer_reader.ts";
import { type Figures as LoadFigures, load } from "../lib/figures.ts";
import { processorUse } from "../lib/processes.ts";
import { SECOND } from "../../kit/time.ts";

export interface GeneratorOptions {
  readonly url: string;
  /** The process that answers. */
  readonly pid: number;
  /** Of so many users; undefined is a new one for each request. */
  readonly users?: number;
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface Figures extends LoadFigures {
  /** The processor time that each picture costs the process, in microseconds: the figure that others on the machine change least. */
  readonly processorMicroseconds: number;
  /** What share of core 0 and of core 1 was busy, 0 to 1. */
  readonly busy: readonly [number, number];
  /** The mean of a picture, in bytes. */
  readonly bytes: number;
}

const SIZE = 128;
const PATH = `/avatars/00000000-0000-7000-8000-000000000000.png?size=${SIZE}&style=GITHUB`;
const DIGITS = 12;
const PNG = [0x89, 0x50, 0x4e, 0x47];
/** Where a PNG has its width. */
const WIDTH_AT = 16;

class Connection {
  readonly #answers: AnswerReader;
  readonly #request: Uint8Array;
  readonly #lastDigit: number;

  private constructor(private readonly connection: Deno.TcpConn, host: string) {
    this.#answers = new AnswerReader(connection);
    const request = `GET ${PATH} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    this.#request = new TextEncoder().encode(request);
    this.#lastDigit = request.indexOf(".png") - 1;
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    connection.setNoDelay(true);
    return new Connection(connection, host);
  }

  /** The picture's bytes. @throws Error for an answer that is none of this size */
  async ask(user: number): Promise<number> {
    for (let rest = user, nth = 0; nth < DIGITS; nth++) {
      this.#request[this.#lastDigit - nth] = 48 + rest % 10;
      rest = Math.floor(rest / 10);
    }
    for (let sent = 0; sent < this.#request.length;) {
      sent += await this.connection.write(this.#request.subarray(sent));
    }
    const png = await this.#answers.next();
    const width = png[WIDTH_AT + 2]! << 8 | png[WIDTH_AT + 3]!;
    if (PNG.some((byte, at) => png[at] !== byte) || width !== SIZE) throw new Error(`no PNG of ${SIZE} pixels came`);
    return png.length;
  }

  close(): void {
    this.connection.close();
  }
}

const options = JSON.parse(Deno.args[0]!) as GeneratorOptions;
const { url, pid, users = Infinity, warmUpSeconds, seconds } = options;
const connections = await Promise.all(Array.from({ length: options.connections }, () => Connection.open(url)));
let asked = 0;
let bytes = 0;
const [figures, { busy, seconds: processorTime }] = await Promise.all([
  load(options.connections, warmUpSeconds, seconds, async (sender) => {
    const length = await connections[sender]!.ask(asked++ % users);
    bytes += length;
  }),
  processorUse(pid, warmUpSeconds * SECOND, (warmUpSeconds + seconds) * SECOND),
]);
for (const connection of connections) connection.close();
const processorMicroseconds = processorTime * 1e6 / (figures.perSecond * seconds);
console.log(JSON.stringify({ ...figures, processorMicroseconds, busy, bytes: bytes / asked } satisfies Figures));
