/** A network between a client and a server that can be cut: what is connected then is gone. It can also fall silent. */

export class FlakyNetwork implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  /** Clients' connections that carry nothing any more. */
  readonly #silent = new WeakSet<Deno.TcpConn>();
  readonly #over = Promise.withResolvers<void>();
  /** How many connections there have been. */
  connections = 0;
  #isUp = true;

  private constructor(private readonly to: { hostname: string; port: number }) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void this.#serve();
  }

  /** To the server of an http: URL. */
  static to(url: string): FlakyNetwork {
    const { hostname, port } = new URL(url);
    return new FlakyNetwork({ hostname, port: Number(port) });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#listener.addr.port}/graphql`;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Ends all connections; new ones are ended at once until {@link mend}. */
  cut(): void {
    this.#isUp = false;
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  /** What is connected carries nothing from now on, not even its end, as where a machine has gone elsewhere; what comes later does. */
  silence(): void {
    for (const connection of this.#open) this.#silent.add(connection);
  }

  mend(): void {
    this.#isUp = true;
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) {
      if (this.#isUp) void this.#connect(client);
      else close(client);
    }
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    this.connections++;
    const server = await Deno.connect(this.to);
    const both = [client, server];
    for (const one of both) this.#open.add(one);
    // A cut ends both in the middle of whatever they carry.
    const carrier = () =>
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (piece, controller) => void (this.#silent.has(client) || controller.enqueue(piece)),
        flush: () => this.#silent.has(client) ? this.#over.promise : undefined,
      });
    await Promise.allSettled([
      client.readable.pipeThrough(carrier()).pipeTo(server.writable),
      server.readable.pipeThrough(carrier()).pipeTo(client.writable),
    ]);
    for (const one of both) {
      this.#open.delete(one);
      close(one);
    }
  }

  [Symbol.dispose](): void {
    this.#over.resolve();
    this.cut();
    this.#listener.close();
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
