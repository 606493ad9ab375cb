/** A network between a client and a server that can be cut: what is connected then is gone without a word. */

export class FlakyNetwork implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
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

  /** Ends all connections; new ones are ended at once until {@link mend}. */
  cut(): void {
    this.#isUp = false;
    for (const connection of this.#open) close(connection);
    this.#open.clear();
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
    await Promise.allSettled([client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)]);
    for (const one of both) {
      this.#open.delete(one);
      close(one);
    }
  }

  [Symbol.dispose](): void {
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
