/**
 * The one schema that clients see: the gateway's own part and every subgraph that discovery names. In: instances of the directory, asked
 * for their types where these aren't known yet. Out: the present schema with its checked documents, replaced at once when types have
 * changed; who began on one may end on it. A service that is away keeps its types, and its fields are null; types that don't go together
 * with the others' are refused (graph/composition.ts), and the graph goes on without them.
 */

import { type GraphQLSchema, validateSchema } from "graphql";
import { type Directory, type Instance, reason } from "../kit/directory.ts";
import type { DocumentCache, DocumentRules } from "../kit/graphql.ts";
import type { Logger } from "../kit/log.ts";
import { delay, MINUTE, SECOND } from "../kit/time.ts";
import { compose, type Refusal, type Subgraphs } from "./graph/composition.ts";
import { graphChanges, graphRefused, graphServices } from "./graph/graph_metrics.ts";
import { Graph } from "./graph/graph.ts";
import { ServiceTypes } from "./graph/service_types.ts";
import { stitch } from "./graph/stitching.ts";
import { fetchTypes, oneLine, type SubgraphTypes } from "./graph/subgraph_types.ts";
import type { TypesCopy } from "./graph/types_copy.ts";
import { OWN, type SubgraphCalls } from "./subgraph_call.ts";

/** All is looked at again though nothing was heard, in milliseconds. */
const LOOK_MS = SECOND / 2;

/** Who may stay where two services don't go together: {@link Supergraph.#rank}. */
const [FIRST, PRESENT, NEW, AWAY] = [0, 1, 2, 3];

export interface SupergraphOptions {
  readonly directory: Directory;
  readonly calls: SubgraphCalls;
  readonly secret: string;
  /** The gateway's own part, executed here. */
  readonly own: GraphQLSchema;
  /** Services that were there before all others: where one doesn't go together with them, it is refused. */
  readonly first: readonly string[];
  /** What documents have to hold to besides the schema. */
  readonly rules?: DocumentRules;
  /** How long a service that is away stands in the way of one that is there, in milliseconds; default a minute. */
  readonly yieldAfterMs?: number;
  /** Where the types are kept for the next start; nowhere by default. */
  readonly copy?: TypesCopy;
  /** Called after each replacement, with the schemas of before and after. */
  readonly onChange?: (before: GraphQLSchema | undefined, after: GraphQLSchema) => void;
  readonly log: Logger;
}

export class Supergraph {
  readonly #services = new Map<string, ServiceTypes>();
  readonly #asking = new Set<string>();
  readonly #abort = new AbortController();
  #subgraphs: Subgraphs = new Map();
  #refused: ReadonlyMap<string, Refusal> = new Map();
  #stitched: { readonly parts: ReadonlySet<SubgraphTypes>; readonly schema: GraphQLSchema } | undefined;
  #graph: Graph | undefined;
  /** From what it was composed last. */
  #composed: readonly unknown[] = [];
  #running: Promise<void> | undefined;
  #wake: () => void = () => {};

  constructor(private readonly options: SupergraphOptions) {}

  /** The present schema with its checked documents. */
  get documents(): DocumentCache {
    return (this.#graph ??= this.#make(this.#subgraphs)).documents;
  }

  /** Each service's types in the present schema, as it gives them. */
  get subgraphs(): Subgraphs {
    return this.#subgraphs;
  }

  /** Services whose present types are not in the graph, and why. */
  get refused(): ReadonlyMap<string, Refusal> {
    return this.#refused;
  }

  has(service: string): boolean {
    return this.#subgraphs.has(service);
  }

  start(): void {
    const stopWatching = this.options.directory.onChange(() => this.#wake());
    this.#running ??= this.#follow().finally(stopWatching);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake();
    await this.#running;
    await this.options.copy?.stop();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    await this.#remember();
    while (!signal.aborted) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      try {
        this.#look();
      } catch (error) {
        this.options.log.error("the graph can't be composed, so the last one stands: {error}", {
          error: reason(error),
        });
      }
      await delay(LOOK_MS, woken.signal);
    }
  }

  /** The graph of before, also of services that are away just now. */
  async #remember(): Promise<void> {
    for (const one of await this.options.copy?.read() ?? []) {
      const types = new ServiceTypes();
      types.remember(one);
      this.#services.set(one.types.service, types);
    }
    if (this.#services.size > 0) this.#compose();
  }

  /** Has the instances asked whose types aren't known, and composes what is. */
  #look(): void {
    const live = Map.groupBy(
      this.options.directory.all().filter((instance) => instance.subgraph && instance.service !== "gateway"),
      (instance) => instance.service,
    );
    for (const service of live.keys()) {
      if (!this.#services.has(service)) this.#services.set(service, new ServiceTypes());
    }
    for (const [service, types] of this.#services) {
      const instances = live.get(service) ?? [];
      types.keep(instances);
      const [unasked] = types.unasked(instances);
      if (unasked !== undefined) void this.#ask(unasked, types);
      // One that was never in the graph leaves nothing behind.
      if (instances.length === 0 && !this.#subgraphs.has(service)) this.#services.delete(service);
    }
    this.#compose();
    this.options.copy?.keep(
      [...this.#subgraphs].flatMap(([service, present]) => this.#services.get(service)?.remembered(present) ?? []),
    );
  }

  /** One of a service's instances at a time: it mostly says what the others would. */
  async #ask(instance: Instance, types: ServiceTypes): Promise<void> {
    const { service } = instance;
    if (this.#asking.has(service)) return;
    this.#asking.add(service);
    try {
      types.learn(instance, await fetchTypes(instance, this.options.secret));
    } catch (error) {
      types.failed(instance);
      this.options.log.debug("{service} doesn't give its types: {error}", { service, error: reason(error) });
    } finally {
      this.#asking.delete(service);
      this.#wake();
    }
  }

  #compose(): void {
    const rank = new Map([...this.#services].map(([service, types]) => [service, this.#rank(service, types)]));
    const changes = [...this.#services.values()]
      .flatMap((types) => types.forGraph() ?? [])
      .filter(({ service, sdl }) => sdl !== this.#subgraphs.get(service)?.sdl)
      .sort((a, b) => rank.get(a.service)! - rank.get(b.service)! || (a.service < b.service ? -1 : 1));
    const inputs = [this.#subgraphs, ...changes, ...rank.values()];
    if (inputs.length === this.#composed.length && inputs.every((one, at) => one === this.#composed[at])) return;
    this.#composed = inputs;
    const { subgraphs, refused } = compose({
      present: this.#subgraphs,
      changes,
      own: this.options.own,
      yields: (service, other) => {
        const [its, others] = [rank.get(service) ?? AWAY, rank.get(other) ?? AWAY];
        return its > others && (its === AWAY || others === FIRST);
      },
      stitchingFault: (parts) => this.#fault(parts),
    });
    this.#tell(refused);
    const isOther = subgraphs.size !== this.#subgraphs.size ||
      [...subgraphs].some(([service, types]) => this.#subgraphs.get(service) !== types);
    if (isOther) this.#swap(subgraphs);
  }

  /** Where two services don't go together, one of a lower number may stay where another has to go. */
  #rank(service: string, { awaySince }: ServiceTypes): number {
    if (this.options.first.includes(service)) return FIRST;
    const { yieldAfterMs = MINUTE } = this.options;
    if (awaySince !== undefined && Date.now() - awaySince > yieldAfterMs) return AWAY;
    return this.#subgraphs.has(service) ? PRESENT : NEW;
  }

  #swap(subgraphs: Subgraphs): void {
    const before = this.#graph?.documents.schema;
    const graph = this.#make(subgraphs);
    this.#subgraphs = subgraphs;
    this.#graph = graph;
    graphServices.set(subgraphs.size);
    graphChanges.inc();
    this.options.log.info("the graph is of {services}", { services: [...subgraphs.keys()].sort().join(", ") });
    this.options.onChange?.(before, graph.documents.schema);
  }

  #tell(refused: ReadonlyMap<string, Refusal>): void {
    graphRefused.reset();
    for (const [service, { reasons }] of refused) {
      graphRefused.set({ service }, 1);
      if (this.#refused.get(service)?.reasons.join() === reasons.join()) continue;
      this.options.log.warning("the types of {service} are refused, and the graph goes on without them: {reasons}", {
        service,
        reasons: reasons.join("; "),
      });
    }
    this.#refused = refused;
  }

  #make(subgraphs: Subgraphs): Graph {
    const { calls, own, rules } = this.options;
    const sorted = [...subgraphs.values()].sort((a, b) => a.service < b.service ? -1 : 1);
    const parts = new Map([[OWN, own], ...sorted.map(({ service, schema }) => [service, schema] as const)]);
    return new Graph(this.#stitch(sorted), parts, calls, rules);
  }

  #fault(parts: readonly SubgraphTypes[]): string | undefined {
    try {
      const [error] = validateSchema(this.#stitch(parts));
      return error && oneLine(error.message);
    } catch (error) {
      return oneLine(reason(error));
    }
  }

  #stitch(parts: readonly SubgraphTypes[]): GraphQLSchema {
    const last = this.#stitched;
    // What was just tried is what is taken.
    if (last !== undefined && last.parts.size === parts.length && parts.every((one) => last.parts.has(one))) {
      return last.schema;
    }
    const sorted = parts.toSorted((a, b) => a.service < b.service ? -1 : 1);
    const { calls, own } = this.options;
    const schema = stitch(sorted, own, (service) => (request) => calls.execute(service, request));
    this.#stitched = { parts: new Set(parts), schema };
    return schema;
  }
}
