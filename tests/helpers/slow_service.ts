/** A foreign service that joins the graph with a field whose answer never comes: it knows who still waits, and who has gone. */

import { buildSchema, graphql } from "graphql";
import { SECRET, type System, until } from "./system.ts";

const SCHEMA = buildSchema(`
  type Query { slow: String  quick: String }
  type Mutation { slowly: String }
`);

export class SlowService implements AsyncDisposable {
  /** Calls that were given up by whoever made them. */
  givenUp = 0;
  waiting = 0;
  readonly #end = new AbortController();
  readonly #server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => this.#answer(request),
  );
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  /** Resolves when it is part of the graph. */
  static async join(system: System): Promise<SlowService> {
    const service = new SlowService();
    const register = async () => {
      const response = await fetch(`${system.url("discovery")}/api/instances/slow-1`, {
        method: "PUT",
        headers: { "content-type": "application/json", authorization: `Bearer ${SECRET}` },
        body: JSON.stringify({ service: "slow", url: `http://127.0.0.1:${service.#server.addr.port}`, subgraph: true }),
      });
      await response.body?.cancel();
    };
    await register();
    service.#heartbeat = setInterval(() => void register().catch(() => {}), 2_000);
    await until("it is in the graph", async () => {
      const response = await fetch(system.graphqlUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"query":"{ quick }"}',
      });
      return (await response.json()).data?.quick === "quick";
    });
    return service;
  }

  async #answer(request: Request): Promise<Response> {
    // A sign of life, for whoever is in doubt.
    if (request.method !== "POST") return new Response("it lives");
    const { query, variables } = await request.json();
    if (!query.includes("slow")) {
      return Response.json(
        await graphql({ schema: SCHEMA, source: query, variableValues: variables, rootValue: { quick: "quick" } }),
      );
    }
    if (query.includes("__schema")) return Response.json(await graphql({ schema: SCHEMA, source: query }));
    this.waiting++;
    await new Promise<void>((resolve) => {
      request.signal.addEventListener("abort", () => {
        if (!this.#end.signal.aborted) this.givenUp++;
        resolve();
      });
      this.#end.signal.addEventListener("abort", () => resolve());
    });
    this.waiting--;
    return Response.json({ data: null });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#end.abort();
    await this.#server.shutdown();
  }
}
