/** What the gateway knows of the whole system. In: the directory, the graph, how instances answer. Out: for `services` and the status page. */

import type { Directory, Instance } from "../kit/directory.ts";
import type { Balancer, Seen } from "./balancer.ts";
import type { CallFigures } from "./upstream/call_times.ts";
import type { SchemaChange, SchemaChanges } from "./graph/schema_changes.ts";
import type { Supergraph } from "./supergraph.ts";

export interface ServiceView {
  readonly name: string;
  readonly instances: readonly (Instance & CallFigures & Seen)[];
  readonly inGraph: boolean;
  readonly conflicts: readonly string[];
}

export class Overview {
  constructor(
    private readonly directory: Directory,
    private readonly balancer: Pick<Balancer, "calls" | "seen">,
    private readonly changes: SchemaChanges,
    /** It is made with the gateway's own part, which shows this. */
    private readonly graph: () => Pick<Supergraph, "has" | "refused" | "subgraphs">,
  ) {}

  /** What discovery knows, by name; the order of the instances of a service is that of their start. */
  services(instances: readonly Instance[] = this.directory.all()): ServiceView[] {
    const graph = this.graph();
    const byName = Map.groupBy(instances, (instance) => instance.service);
    return [...byName].sort(([a], [b]) => a < b ? -1 : 1).map(([name, instances]) => ({
      name,
      instances: instances
        .sort((a, b) => a.startedAt < b.startedAt ? -1 : 1)
        .map((instance) => ({ ...instance, ...this.balancer.calls(instance), ...this.balancer.seen(instance) })),
      inGraph: graph.has(name),
      conflicts: graph.refused.get(name)?.reasons ?? [],
    }));
  }

  /** The same, with the heartbeats that discovery has now, which takes a call. */
  async servicesAsHeard(): Promise<ServiceView[]> {
    return this.services(await this.directory.allAsHeard());
  }

  /** Services whose types are in the graph, and of which no instance is there. */
  away(): string[] {
    return [...this.graph().subgraphs.keys()].filter((service) => this.directory.instances(service).length === 0);
  }

  /** The newest first. */
  schemaChanges(first: number): SchemaChange[] {
    return this.changes.latest(first);
  }
}
