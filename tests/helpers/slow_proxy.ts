/** A way to an instance that can be slow, or lose answers: a TCP proxy that is registered at discovery as an instance of its own. */

import type { ServiceName } from "../../kit/ports.ts";
import { delay } from "../../kit/time.ts";
import { askDiscovery } from "./instances.ts";
import type { System } from "./system.ts";

/** Three fit into discovery's TTL. */
const HEARTBEAT_MS = 3_000;

export class SlowProxy implements AsyncDisposable {
  /** How long each piece of an answer takes longer, in milliseconds. */
  delayMs = 0;
  /** Whether connections are cut instead of passing an answer on. */
  losesAnswers = false;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #renewing = new AbortController();
  readonly #to: { hostname: string; port: number };

  private constructor(private readonly system: System, private readonly service: ServiceName, index: number) {
    const { hostname, port } = new URL(system.url(service, index));
    this.#to = { hostname, port: Number(port) };
    void this.#serve();
  }

  /** Registered, as one more instance of the service. */
  static async to(system: System, service: ServiceName, index = 0): Promise<SlowProxy> {
    const proxy = new SlowProxy(system, service, index);
    await proxy.#put();
    void proxy.#renew();
    return proxy;
  }

  get id(): string {
    return `${this.service}-by-proxy-${this.#listener.addr.port}`;
  }

  async #renew(): Promise<void> {
    while (!this.#renewing.signal.aborted) {
      await delay(HEARTBEAT_MS, this.#renewing.signal);
      if (!this.#renewing.signal.aborted) await this.#put().catch(() => {});
    }
  }

  async #put(): Promise<void> {
    const url = `http://127.0.0.1:${this.#listener.addr.port}`;
    await this.#ask("PUT", { service: this.service, url, subgraph: true });
  }

  #ask(method: "PUT" | "DELETE", body?: unknown): Promise<void> {
    return askDiscovery(this.system, method, this.id, body);
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) void this.#connect(client);
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect(this.#to);
    const both = [client, server];
    for (const one of both) this.#open.add(one);
    const late = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: async (piece, controller) => {
        if (this.losesAnswers) throw new Error("lost");
        await delay(this.delayMs, this.#renewing.signal);
        controller.enqueue(piece);
      },
    });
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeThrough(late).pipeTo(client.writable),
    ]);
    for (const one of both) {
      this.#open.delete(one);
      close(one);
    }
  }

  /** Leaves discovery and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#renewing.abort();
    await this.#ask("DELETE").catch(() => {});
    this.#listener.close();
    for (const one of this.#open) close(one);
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
