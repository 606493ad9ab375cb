/** Who is measured: each a fresh process on core 0, in front of the same subgraphs. */

import { SECOND } from "../../kit/time.ts";
import { graphql, User } from "../../tests/helpers/client.ts";
import { SECRET, until } from "../../tests/helpers/system.ts";
import { onCore } from "../lib/cores.ts";
import { startServer } from "../lib/servers.ts";
import { startUnwatched } from "../lib/watched.ts";
import { type Gateway, startHive } from "./hive.ts";

export interface Side extends Gateway {
  /** Of sessions; empty where callers have none. */
  readonly tokens: readonly string[];
}

export type Urls = Readonly<Record<string, string>>;

const CORE = 0;
const USERS = 20;
/** Three of them fit into discovery's TTL. */
const HEARTBEAT_MS = 3 * SECOND;

export const SIDES = {
  ours: (urls: Urls): Promise<Side> => ours(urls, startUnwatched),
  hive: (urls: Urls): Promise<Side> => hive(urls, []),
  /** With its query planner in Rust, which is not what it does by default. */
  "hive-router": (urls: Urls): Promise<Side> => hive(urls, ["--hive-router-runtime"]),
  yoga: (urls: Urls): Promise<Side> => program("stock.ts", Object.values(urls)),
  "node:http": (): Promise<Side> => program("bare.ts", ["node:http"]),
  "Deno.serve": (): Promise<Side> => program("bare.ts", ["Deno.serve"]),
};
export type SideName = keyof typeof SIDES;

/** The whole system as it is, with all guards on but the rates; the bench's subgraphs join it as any foreign service. */
export async function ours(urls: Urls, start: typeof startUnwatched): Promise<Side> {
  const { system, stop: stopSystem } = await start({ env: { NOTIFYX_LIMITS: "off" } });
  const pid = system.node("gateway").process.pid!;
  const register = () =>
    Promise.all(
      Object.entries(urls).map(async ([service, url]) => {
        const response = await fetch(`${system.url("discovery")}/api/instances/bench-${service}`, {
          method: "PUT",
          headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json" },
          body: JSON.stringify({ service, url, subgraph: true }),
          signal: AbortSignal.timeout(HEARTBEAT_MS),
        });
        await response.body?.cancel();
      }),
    );
  const heartbeats = setInterval(() => register().catch(() => {}), HEARTBEAT_MS);
  const stop = async () => {
    clearInterval(heartbeats);
    await stopSystem();
  };
  try {
    await onCore(CORE, pid);
    await register();
    const query = '{ books(from: "0000", first: 1) { author { name sold } } }';
    await until("the subgraphs are in the graph", async () => {
      const { data } = await graphql(system.graphqlUrl, query);
      return typeof data?.books[0].author.sold === "number" && typeof data.books[0].author.name === "string";
    });
    const users = await Promise.all(Array.from({ length: USERS }, () => User.register(system)));
    return { url: system.graphqlUrl, pid, tokens: users.map(({ token }) => token), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function hive(urls: Urls, options: string[]): Promise<Side> {
  return { ...await startHive(urls, CORE, options), tokens: [] };
}

async function program(name: string, args: string[]): Promise<Side> {
  const { pid, line, stop } = await startServer(new URL(name, import.meta.url), args, CORE);
  return { url: `http://127.0.0.1:${line}/graphql`, pid, tokens: [], stop };
}
