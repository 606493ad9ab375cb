/**
 * A system as one watches it: 1 % of what comes in is traced, to a collector of its own, and each process is asked for its metrics again
 * and again. Beside it, without: what that costs.
 */

import { SECOND } from "../../kit/time.ts";
import { startSystem, type System, type SystemOptions } from "../../tests/helpers/system.ts";
import { startServer } from "./servers.ts";

const SHARE = "0.01";
/** Prometheus asks every 15 s by default, and many have it ask more often. */
const METRICS_EVERY_MS = 5 * SECOND;

export interface Watched {
  readonly system: System;
  /** The system too. */
  stop(): Promise<void>;
}

export async function startUnwatched(options: SystemOptions): Promise<Watched> {
  const system = await startSystem(options);
  return { system, stop: () => system[Symbol.asyncDispose]() };
}

/** On core 1, but for the gateway, which is its caller's to put somewhere. */
export async function startWatched(options: SystemOptions): Promise<Watched> {
  const collector = await startServer(new URL("collector.ts", import.meta.url), [], 1);
  const url = `http://127.0.0.1:${collector.line}`;
  const env = { ...options.env, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_SAMPLER_ARG: SHARE };
  const system = await startSystem({ ...options, env });
  const asking = setInterval(() => {
    for (const node of system.cluster.nodes) {
      fetch(`${node.url}/metrics`, { signal: AbortSignal.timeout(METRICS_EVERY_MS) })
        .then((response) => response.arrayBuffer()).catch(() => {});
    }
  }, METRICS_EVERY_MS);
  return {
    system,
    async stop() {
      clearInterval(asking);
      await system[Symbol.asyncDispose]();
      const requests = Number(await (await fetch(url)).text());
      await collector.stop();
      if (requests === 0) console.error("nothing was traced: the figures say nothing of traces");
    },
  };
}
