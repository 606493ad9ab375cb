/** SMTP, command by command: for tests of what a library would not send. */

import { delay } from "../../../../kit/time.ts";

export class SmtpClient implements Disposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  private constructor(private readonly connection: Deno.TcpConn) {
    this.#reader = connection.readable.getReader();
  }

  /** Its greeting is the first answer. */
  static async connect(port: number): Promise<SmtpClient> {
    return new SmtpClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Past the greeting and EHLO. */
  static async greeted(port: number): Promise<SmtpClient> {
    const client = await SmtpClient.connect(port);
    await client.answer();
    await client.say("EHLO test");
    return client;
  }

  /** The next whole answer. @throws Error where the connection ends or nothing comes */
  async answer(limitMs = 10_000): Promise<string> {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#text);
      if (whole !== null) {
        this.#text = this.#text.slice(whole[0].length);
        return whole[0].trimEnd();
      }
      const next = await Promise.race([this.#reader.read(), delay(limitMs)]);
      if (next === undefined) throw new Error(`no answer within ${limitMs} ms`);
      if (next.done) throw new Error("the connection has ended");
      this.#text += new TextDecoder().decode(next.value);
    }
  }

  async write(bytes: string | Uint8Array): Promise<void> {
    const rest = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    for (let at = 0; at < rest.length;) at += await this.connection.write(rest.subarray(at));
  }

  /** The answer to one command. */
  async say(command: string): Promise<string> {
    await this.write(`${command}\r\n`);
    return await this.answer();
  }

  /** The answer to a whole mail; its lines as they are to arrive, before a line of one dot. */
  async send(lines: string, to = ["ann@example.com"], from = "notifyx@localhost"): Promise<string> {
    const answers = [await this.say(`MAIL FROM:<${from}>`)];
    for (const one of to) answers.push(await this.say(`RCPT TO:<${one}>`));
    const refused = answers.find((answer) => !answer.startsWith("250"));
    if (refused !== undefined) return refused;
    await this.say("DATA");
    await this.write(lines.replaceAll(/^\./gm, "..") + "\r\n.\r\n");
    return await this.answer();
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}
