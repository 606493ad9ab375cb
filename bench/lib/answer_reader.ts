/** The answers of one HTTP/1.1 connection, as bytes: for a load generator that has to cost little. Answers must have a content-length. */

const BUFFER_BYTES = 64 * 1024;
const decoder = new TextDecoder();

export class AnswerReader {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);

  constructor(private readonly connection: Deno.Conn) {}

  /** The body, which stands until the next one is read. @throws Error where the status isn't 200 */
  async next(): Promise<Uint8Array> {
    let end = 0;
    let from = -1;
    let length = 0;
    for (;;) {
      const read = await this.connection.read(this.#buffer.subarray(end));
      if (read === null) throw new Error("the connection was closed");
      end += read;
      if (from < 0) {
        from = endOfHead(this.#buffer, end);
        if (from < 0) continue;
        const head = decoder.decode(this.#buffer.subarray(0, from));
        if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(decoder.decode(this.#buffer.subarray(0, end)));
        const named = /content-length: (\d+)/i.exec(head)?.[1];
        if (named === undefined) throw new Error(`no content-length: ${head}`);
        length = Number(named);
      }
      if (end >= from + length) return this.#buffer.subarray(from, end);
    }
  }
}

/** Where the body begins; -1 where the head is not whole yet. */
function endOfHead(bytes: Uint8Array, length: number): number {
  for (let at = bytes.indexOf(13); at >= 0 && at + 3 < length; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at + 4;
  }
  return -1;
}
