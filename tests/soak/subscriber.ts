/** A subscriber that goes on behind its last cursor whenever its gateway is lost, at another one. */

import { delay, SECOND, TimeLimitError, withTimeLimit } from "../../kit/time.ts";
import { type Frame, Socket } from "../helpers/client.ts";

const SUBSCRIPTION = "subscription ($after: String) { notificationReceived(after: $after) { id cursor } }";
const OPEN_LIMIT_MS = 3 * SECOND;
/** So often it pings, and so long a gateway may say nothing before it counts as lost, in milliseconds. */
const PING_EVERY_MS = SECOND;
const SILENCE_LIMIT_MS = 3 * SECOND;
const LOOK_EVERY_MS = 20;

export class Subscriber {
  /** The ids, in the order of their coming. */
  readonly received: string[] = [];
  /** How often it had to go on elsewhere. */
  resumed = -1;
  #cursor: string | undefined;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;

  constructor(private readonly urls: readonly string[], private readonly token: string) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#abort.signal.aborted; turn++) {
      try {
        using socket = await this.#open(this.urls[turn % this.urls.length]!);
        this.resumed++;
        await this.#follow(socket);
      } catch {
        await delay(100, this.#abort.signal);
      }
    }
  }

  #open(url: string): Promise<Socket> {
    const opening = Socket.open(`${url}/graphql`, { authorization: `Bearer ${this.token}` });
    return withTimeLimit("the socket", OPEN_LIMIT_MS, opening).catch((error) => {
      // One that opens late is nobody's.
      if (error instanceof TimeLimitError) opening.then((socket) => socket[Symbol.dispose](), () => {});
      throw error;
    });
  }

  async #follow(socket: Socket): Promise<void> {
    socket.subscribe(SUBSCRIPTION, { after: this.#cursor });
    let heardAt = Date.now();
    let pingAt = Date.now();
    for (let at = 0; !this.#abort.signal.aborted;) {
      for (; at < socket.frames.length; at++) {
        heardAt = Date.now();
        if (!this.#take(socket.frames[at]!)) return;
      }
      if (socket.raw.readyState !== WebSocket.OPEN || Date.now() - heardAt > SILENCE_LIMIT_MS) return;
      if (Date.now() - pingAt > PING_EVERY_MS) {
        socket.send({ type: "ping" });
        pingAt = Date.now();
      }
      await delay(LOOK_EVERY_MS, this.#abort.signal);
    }
  }

  /** False when the subscription is over. */
  #take({ type, payload }: Frame): boolean {
    if (type === "error" || type === "complete") return false;
    const delivered = payload?.data?.notificationReceived;
    if (type === "next" && delivered === undefined) return false;
    if (type === "next") {
      this.received.push(delivered.id);
      this.#cursor = delivered.cursor;
    }
    return true;
  }
}
