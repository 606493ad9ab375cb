/**
 * The load: plain keep-alive connections that each ask again as soon as they are answered. In each request the digits of its marks are
 * written anew, and every answer is held to its length and its id. Argument: GeneratorOptions. Prints its figures as JSON.
 */

import { AnswerReader } from "../lib/answer_reader.ts";
import { type Figures as LoadFigures, load } from "../lib/figures.ts";
import { processorUse } from "../lib/processes.ts";
import { SECOND } from "../../kit/time.ts";

export interface GeneratorOptions {
  readonly url: string;
  /** The process that answers. */
  readonly pid: number;
  /** Sessions' tokens, of which each connection has one; none for callers without. */
  readonly tokens: readonly string[];
  /** A request's body; `0000` in it is its id, `00000000` its number, where it varies by them. */
  readonly body: string;
  readonly varies: { readonly id: boolean; readonly number: boolean };
  /** What stands before the id in the answer; undefined where it has none. */
  readonly idAfter?: string;
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface Figures extends LoadFigures {
  /** The processor time that each answer costs the process, in microseconds: the figure that others on the machine change least. */
  readonly processorMicroseconds: number;
  /** What share of a core the process had, 0 to 1. */
  readonly processorShare: number;
  /** What share of core 0 and of core 1 was busy, 0 to 1. */
  readonly busy: readonly [number, number];
}

const ID_DIGITS = 4;
const NUMBER_DIGITS = 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

class Connection {
  readonly #answers: AnswerReader;
  readonly #request: Uint8Array;
  readonly #idAt: number;
  readonly #numberAt: number;
  /** Learned from the first answer. */
  #length: number | undefined;
  #answerIdAt = -1;

  private constructor(
    private readonly connection: Deno.TcpConn,
    private readonly options: GeneratorOptions,
    token: string | undefined,
  ) {
    this.#answers = new AnswerReader(connection);
    const { url, body, varies } = options;
    const { pathname, host } = new URL(url);
    const bearer = token === undefined ? "" : `authorization: Bearer ${token}\r\n`;
    const start = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n` +
      `content-length: ${encoder.encode(body).length}\r\n${bearer}\r\n`;
    this.#request = encoder.encode(start + body);
    const find = (mark: string) => {
      const at = body.indexOf(mark);
      if (at < 0) throw new Error(`the body has no ${mark}`);
      return start.length + at;
    };
    this.#idAt = varies.id ? find('"0000"') + 1 : -1;
    this.#numberAt = varies.number ? find("0".repeat(NUMBER_DIGITS)) : -1;
  }

  static async open(options: GeneratorOptions, token?: string): Promise<Connection> {
    const { hostname, port } = new URL(options.url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    connection.setNoDelay(true);
    return new Connection(connection, options, token);
  }

  /** @throws Error for an answer that isn't the right one */
  async ask(nth: number): Promise<void> {
    if (this.#idAt >= 0) writeDigits(this.#request, this.#idAt, ID_DIGITS, nth);
    if (this.#numberAt >= 0) writeDigits(this.#request, this.#numberAt, NUMBER_DIGITS, nth);
    for (let sent = 0; sent < this.#request.length;) {
      sent += await this.connection.write(this.#request.subarray(sent));
    }
    const body = await this.#answers.next();
    if (this.#length === undefined) this.#learn(body);
    if (body.length !== this.#length || !this.#hasId(body)) throw new Error(`a wrong answer: ${decoder.decode(body)}`);
  }

  close(): void {
    this.connection.close();
  }

  #learn(body: Uint8Array): void {
    const text = decoder.decode(body);
    if (text.includes('"errors"')) throw new Error(text);
    this.#length = body.length;
    if (this.options.idAfter === undefined) return;
    const at = text.indexOf(this.options.idAfter);
    if (at < 0) throw new Error(`no ${this.options.idAfter} in ${text}`);
    this.#answerIdAt = at + this.options.idAfter.length;
  }

  #hasId(body: Uint8Array): boolean {
    if (this.#answerIdAt < 0) return true;
    for (let index = 0; index < ID_DIGITS; index++) {
      const asked = this.#idAt < 0 ? 48 : this.#request[this.#idAt + index];
      if (body[this.#answerIdAt + index] !== asked) return false;
    }
    return true;
  }
}

/** The last `digits` digits of `value`, in decimal. */
function writeDigits(bytes: Uint8Array, at: number, digits: number, value: number): void {
  for (let rest = value, index = digits - 1; index >= 0; index--) {
    bytes[at + index] = 48 + rest % 10;
    rest = Math.floor(rest / 10);
  }
}

const options = JSON.parse(Deno.args[0]!) as GeneratorOptions;
const { pid, tokens, warmUpSeconds, seconds } = options;
const connections = await Promise.all(
  Array.from({ length: options.connections }, (_, nth) => Connection.open(options, tokens[nth % tokens.length])),
);
let asked = 0;
const [figures, { busy, seconds: processorTime }] = await Promise.all([
  load(options.connections, warmUpSeconds, seconds, (sender) => connections[sender]!.ask(asked++)),
  processorUse(pid, warmUpSeconds * SECOND, (warmUpSeconds + seconds) * SECOND),
]);
for (const connection of connections) connection.close();
const processorMicroseconds = processorTime * 1e6 / (figures.perSecond * seconds);
const processorShare = processorTime / seconds;
console.log(JSON.stringify({ ...figures, processorMicroseconds, processorShare, busy } satisfies Figures));
