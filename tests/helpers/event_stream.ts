/** A subscription over server-sent events, from the outside. */

// deno-lint-ignore no-explicit-any -- whatever the test asked for
export type StreamEvent = { event: string; data: any };

/** An event stream that keeps what it gets. Its end is its disposal, or the server's. */
export class EventStream implements AsyncDisposable {
  readonly events: StreamEvent[] = [];
  /** The `id` of each event; undefined where it has none. */
  readonly ids: (string | undefined)[] = [];
  /** What a client that comes back says in `Last-Event-ID`. */
  lastEventId: string | undefined;
  readonly ended: Promise<void>;
  readonly #abort: AbortController;

  private constructor(readonly response: Response, abort: AbortController) {
    this.#abort = abort;
    this.ended = this.#read().catch(() => {});
  }

  static async open(
    url: string,
    query: string,
    variables: unknown,
    headers: HeadersInit,
    how: "GET" | "POST" = "POST",
  ) {
    const abort = new AbortController();
    const params = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    const response = await fetch(how === "GET" ? `${url}?${params}` : url, {
      method: how,
      headers: { "content-type": "application/json", accept: "text/event-stream", ...headers },
      body: how === "GET" ? undefined : JSON.stringify({ query, variables }),
      signal: abort.signal,
    });
    return new EventStream(response, abort);
  }

  async #read() {
    let text = "";
    for await (const chunk of this.response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = new Map(
          block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
        );
        const [event, data] = [fields.get("event"), fields.get("data")];
        this.lastEventId = fields.get("id") ?? this.lastEventId;
        if (event === undefined) continue;
        this.events.push({ event, data: data ? JSON.parse(data) : null });
        this.ids.push(fields.get("id"));
      }
    }
  }

  async [Symbol.asyncDispose]() {
    this.#abort.abort();
    await this.ended;
  }
}
