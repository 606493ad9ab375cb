/**
 * One keep-alive HTTP/1.1 connection that asks the same POST again and again: a load generator that shares two cores with what it
 * measures has to cost little (`fetch` costs 100 µs a request, this 30). Answers must have a content-length.
 */

import { AnswerReader } from "./answer_reader.ts";

const decoder = new TextDecoder();

export class HttpConnection {
  readonly #request: Uint8Array;
  readonly #answers: AnswerReader;

  private constructor(private readonly connection: Deno.Conn, request: string) {
    this.#request = new TextEncoder().encode(request);
    this.#answers = new AnswerReader(connection);
  }

  static async open(url: string, headers: Record<string, string>, body: string): Promise<HttpConnection> {
    const { hostname, port, pathname, host } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    connection.setNoDelay(true);
    const length = new TextEncoder().encode(body).length;
    const lines = Object.entries({ host, "content-length": length, ...headers }).map(([name, value]) =>
      `${name}: ${value}`
    );
    return new HttpConnection(connection, `POST ${pathname} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
  }

  /** The body of the answer. @throws Error where its status isn't 200 */
  async ask(): Promise<string> {
    for (let sent = 0; sent < this.#request.length;) {
      sent += await this.connection.write(this.#request.subarray(sent));
    }
    return decoder.decode(await this.#answers.next());
  }

  close(): void {
    this.connection.close();
  }
}
