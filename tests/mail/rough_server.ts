/**
 * An SMTP server on a bad day: it refuses, delays, cuts and answers 4yz and 5yz by chance. What befalls the mail to `reader17@…` at each
 * attempt follows from the seed alone.
 */

import { delay } from "../../kit/time.ts";
import { type Reply, SmtpSink } from "../helpers/smtp_sink.ts";
import { Random } from "../soak/random.ts";

/** Never answers: whoever waits for it gives up. */
const HANGS = new Promise<never>(() => {});

export class RoughServer implements AsyncDisposable {
  /** How often what befell. */
  readonly counts: Record<string, number> = {};
  /** How often each mail has been begun, by its number. */
  readonly attempts = new Map<number, number>();
  readonly #greetings: Random;

  private constructor(private readonly seed: number) {
    this.#greetings = new Random(seed);
  }

  sink!: SmtpSink;

  static async start(seed: number): Promise<RoughServer> {
    const server = new RoughServer(seed);
    server.sink = await SmtpSink.start({
      greet: () => server.#greet(),
      recipient: (address) => server.#recipient(numberOf(address)),
      deal: ({ to }) => server.#deal(numberOf(to[0]!)),
    });
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sink[Symbol.asyncDispose]();
  }

  /** Why this mail can never be delivered, in the server's words; undefined where it can. */
  refusal(nth: number): Reply | undefined {
    const chance = this.#chance(nth, 0);
    if (chance < 0.03) return { code: 550, text: `5.1.1 reader ${nth} is not known here` };
    if (chance < 0.06) return { code: 554, text: `5.7.1 mail ${nth} is not wanted` };
    return undefined;
  }

  async #greet(): Promise<Reply | "cut" | undefined> {
    const chance = this.#greetings.next();
    if (chance < 0.05) return this.#counted("connection 421", { code: 421, text: "4.3.2 too busy" });
    if (chance < 0.1) return this.#counted("connection cut", "cut");
    if (chance < 0.15) await this.#counted("connection delayed", delay(chance * 5_000));
    return undefined;
  }

  #recipient(nth: number): Reply | undefined {
    const attempt = (this.attempts.get(nth) ?? 0) + 1;
    this.attempts.set(nth, attempt);
    const refusal = this.refusal(nth);
    if (refusal?.code === 550) return this.#counted("550", refusal);
    return this.#chance(nth, attempt) < 0.06
      ? this.#counted("450", { code: 450, text: "4.2.1 mailbox busy" })
      : undefined;
  }

  async #deal(nth: number): Promise<Reply | "cut" | "keep and cut" | undefined> {
    const refusal = this.refusal(nth);
    if (refusal !== undefined) return this.#counted("554", refusal);
    const chance = this.#chance(nth, this.attempts.get(nth)!);
    if (chance < 0.14) return this.#counted("451", { code: 451, text: "4.3.0 come again" });
    if (chance < 0.2) return this.#counted("cut", "cut");
    if (chance < 0.23) return this.#counted("taken and cut", "keep and cut");
    if (chance < 0.25) return await this.#counted("hung", HANGS);
    if (chance < 0.4) await this.#counted("delayed", delay((chance - 0.25) * 10_000));
    return undefined;
  }

  #counted<T>(what: string, deed: T): T {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    return deed;
  }

  /** From 0 to 1, for this attempt at this mail. */
  #chance(nth: number, attempt: number): number {
    return new Random(this.seed + nth * 7_919 + attempt * 104_729).next();
  }
}

export function addressOf(nth: number): string {
  return `reader${nth}@example.org`;
}

export function numberOf(address: string): number {
  return Number(/^reader(\d+)@/.exec(address)![1]);
}
