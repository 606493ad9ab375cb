/**
 * One keep-alive HTTP/1.1 connection that asks the same POST again and again: a load generator that shares two cores with what it
 * measures has to cost little (`fetch` costs 100 µs a request, this 30). Answers must have a content-length.
 */

export class HttpConnection {
  readonly #request: Uint8Array;
  readonly #buffer = new Uint8Array(64 * 1024);

  private constructor(private readonly connection: Deno.Conn, request: string) {
    this.#request = new TextEncoder().encode(request);
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
    let text = "";
    for (;;) {
      const read = await this.connection.read(this.#buffer);
      if (read === null) throw new Error("the connection was closed");
      text += new TextDecoder().decode(this.#buffer.subarray(0, read));
      const head = text.indexOf("\r\n\r\n");
      if (head < 0) continue;
      const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
      if (length === undefined) throw new Error(`no content-length: ${text.slice(0, head)}`);
      const body = text.slice(head + 4);
      if (body.length < Number(length)) continue;
      if (!text.startsWith("HTTP/1.1 200 ")) throw new Error(text);
      return body;
    }
  }

  close(): void {
    this.connection.close();
  }
}
