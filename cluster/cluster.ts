/**
 * All processes of one start: PostgreSQL and discovery at once, then everything else at once; each of these waits for its own peers.
 * They are stopped in the other direction, so that what is in flight still finds what it needs.
 */

import { SECOND } from "../kit/time.ts";
import { NODE_KINDS, nodeFolder, type NodeKind, nodePermissions, type Place, portOf, reachable } from "./nodes.ts";
import type { Output } from "./output.ts";
import type { Postgres } from "./postgres/mod.ts";
import { SupervisedProcess } from "./supervisor.ts";
import type { Timings } from "./timings.ts";
import { join } from "node:path";

export interface ClusterOptions {
  readonly place: Place;
  /** Undefined if a server was given. */
  readonly postgres: Postgres | undefined;
  /** Settings that every node gets besides those that we were given ourselves. */
  readonly env: Readonly<Record<string, string>>;
  readonly stopMs: number;
  readonly output: Output;
  readonly timings: Timings;
}

export interface ClusterNode {
  readonly kind: NodeKind;
  readonly url: string;
  readonly process: SupervisedProcess;
}

/** The least that each stage of a stop gets, though the ones before it used all of the time. */
const LEAST_STAGE_MS = 300;
const POSTGRES_STOP_MS = 4 * SECOND;

export class Cluster {
  readonly nodes: readonly ClusterNode[];
  #stopping: Promise<void> | undefined;

  constructor(private readonly options: ClusterOptions) {
    this.nodes = NODE_KINDS.flatMap((kind) =>
      Array.from({ length: options.place.counts[kind.kind] ?? 0 }, (_, index) => this.#node(kind, index))
    );
  }

  /** Resolves when all are ready; rejects as soon as one fails to start. */
  async start(): Promise<void> {
    const { postgres, timings } = this.options;
    await Promise.all([
      postgres && timings.measure("postgres ready", postgres.ready),
      ...this.nodes.filter(({ kind }) => kind.kind === "discovery").map((node) => this.#start(node)),
    ]);
    await Promise.all(this.nodes.filter(({ kind }) => kind.kind !== "discovery").map((node) => this.#start(node)));
  }

  /** Stops all in order. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stopInOrder();
  }

  /** Ends all at once. */
  kill(): void {
    for (const { process } of this.nodes) process.kill();
    this.options.postgres?.process.kill();
  }

  async #stopInOrder(): Promise<void> {
    const until = performance.now() + this.options.stopMs;
    for (const stage of [1, 2, 3]) {
      const limitMs = Math.max(until - performance.now(), LEAST_STAGE_MS);
      const members = this.nodes.filter(({ kind }) => kind.stopsIn === stage);
      await Promise.all(members.map(({ process }) => process.stop(limitMs)));
    }
    await this.options.postgres?.stop(POSTGRES_STOP_MS);
  }

  #start(node: ClusterNode): Promise<void> {
    return this.options.timings.measure(`${node.process.options.name} ready`, node.process.start());
  }

  #node(kind: NodeKind, index: number): ClusterNode {
    const { place, env, output } = this.options;
    const port = portOf(place, kind.kind, index);
    const url = `http://${reachable(place.host)}:${port}`;
    const folder = nodeFolder(kind, port, place);
    if (folder !== undefined) Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const process = new SupervisedProcess({
      name: (place.counts[kind.kind] ?? 0) > 1 ? `${kind.kind}-${index + 1}` : kind.kind,
      program: Deno.execPath(),
      args: [
        "run",
        "--no-prompt",
        "--quiet",
        ...nodePermissions(kind, port, place),
        join(place.checkout, kind.main),
      ],
      env: {
        ...env,
        // graphql-js looks twice at each object otherwise: 3 % of a send.
        NODE_ENV: "production",
        NOTIFYX_HOST: place.host,
        NOTIFYX_BASE_PORT: String(place.basePort),
        NOTIFYX_PORT: String(port),
        NOTIFYX_DISCOVERY_URLS: place.discoveryUrls.join(","),
        ...folder === undefined ? {} : { NOTIFYX_DIRECTORY_COPY: join(folder, "copy") },
        ...kind.database ? { NOTIFYX_DATABASE_URL: place.databaseUrl } : {},
      },
      ready: { url: `${url}/health/ready` },
      output,
    });
    return { kind, url, process };
  }
}
