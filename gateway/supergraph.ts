/**
 * The one schema that clients see: the gateway's own part and every subgraph that discovery names, stitched by the keys that they
 * declare (`@key`, `@merge` of npm `@graphql-tools/stitching-directives`). It is made anew when a subgraph appears or changes; a service
 * that is away keeps its types, and its fields are null.
 */

import type { MergedTypeConfig, SubschemaConfig } from "@graphql-tools/delegate";
import { stitchSchemas } from "@graphql-tools/stitch";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { filterSchema } from "@graphql-tools/utils";
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  type GraphQLSchema,
  type IntrospectionQuery,
} from "graphql";
import { call } from "../kit/call.ts";
import { type Directory, type Instance, reason } from "../kit/directory.ts";
import type { DocumentCache } from "../kit/graphql.ts";
import type { Logger } from "../kit/log.ts";
import { delay, SECOND } from "../kit/time.ts";
import { Graph } from "./graph/graph.ts";
import { OWN, type SubgraphCalls } from "./subgraph_call.ts";

/** How long a subgraph may take to give its types, in milliseconds, and when it is asked again. */
const SDL_LIMIT_MS = 3 * SECOND;
const RETRY_MS = SECOND / 2;
/** How many ids one `@merge` field is given, as the services have it: `_users`, `_topics`. */
const BATCH_LIMIT = 1_000;
const KEY_PREFIX = "_key_";

interface Subgraph {
  readonly service: string;
  readonly schema: GraphQLSchema;
  /** The instances that are known to have these types. */
  readonly asked: Set<string>;
  readonly source: string;
}

export class Supergraph {
  readonly #subgraphs = new Map<string, Subgraph>();
  readonly #abort = new AbortController();
  #graph: Graph | undefined;
  #running: Promise<void> | undefined;
  #wake: () => void = () => {};

  constructor(
    private readonly directory: Directory,
    private readonly calls: SubgraphCalls,
    private readonly secret: string,
    /** The gateway's own part, executed here. */
    private readonly own: GraphQLSchema,
    private readonly log: Logger,
  ) {}

  /** The present schema with its checked documents. Who began on one may end on it. */
  get documents(): DocumentCache {
    return (this.#graph ??= this.#make([])).documents;
  }

  has(service: string): boolean {
    return this.#subgraphs.has(service);
  }

  start(): void {
    const stopWatching = this.directory.onChange(() => this.#wake());
    this.#running ??= this.#follow().finally(stopWatching);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake();
    await this.#running;
  }

  async #follow(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const changed = new Promise<void>((resolve) => this.#wake = resolve);
      const failed = await this.#update();
      await (failed ? Promise.race([changed, delay(RETRY_MS, this.#abort.signal)]) : changed);
    }
  }

  /** Asks the subgraphs that are new here for their types; whether one of them could not be asked. */
  async #update(): Promise<boolean> {
    const strangers = this.directory.all().filter((instance) =>
      instance.subgraph && instance.service !== "gateway" &&
      !this.#subgraphs.get(instance.service)?.asked.has(instance.id)
    );
    let changed = false;
    let failed = false;
    await Promise.all(strangers.map(async (instance) => {
      try {
        changed = await this.#take(instance) || changed;
      } catch (error) {
        failed = true;
        this.log.debug("{service} doesn't give its types: {error}", {
          service: instance.service,
          error: reason(error),
        });
      }
    }));
    if (changed) this.#swap();
    return failed;
  }

  async #take(instance: Instance): Promise<boolean> {
    const { service, id } = instance;
    const source = await this.#fetchTypes(instance);
    const known = this.#subgraphs.get(service);
    if (known?.source === source.text) {
      known.asked.add(id);
      return false;
    }
    this.#subgraphs.set(service, { service, schema: source.build(), asked: new Set([id]), source: source.text });
    return true;
  }

  /** By `{ _sdl }`, or by introspection where there is none. */
  async #fetchTypes({ url }: Instance): Promise<{ text: string; build: () => GraphQLSchema }> {
    const ask = async (query: string) => {
      const { body } = await call(`${url}/graphql`, { body: { query }, secret: this.secret, limitMs: SDL_LIMIT_MS });
      return (body as { data?: Record<string, unknown> } | null)?.data;
    };
    const sdl = (await ask("{ _sdl }"))?._sdl;
    if (typeof sdl === "string") return { text: sdl, build: () => buildSchema(sdl, { assumeValidSDL: true }) };
    const introspected = await ask(getIntrospectionQuery());
    if (introspected === undefined) throw new Error("it answers neither _sdl nor introspection");
    return {
      text: JSON.stringify(introspected),
      build: () => buildClientSchema(introspected as unknown as IntrospectionQuery),
    };
  }

  #swap(): void {
    const services = [...this.#subgraphs.keys()].sort();
    try {
      this.#graph = this.#make(services.map((service) => this.#subgraphs.get(service)!));
      this.log.info("the graph is of {services}", { services: services.join(", ") });
    } catch (error) {
      this.log.error("the graph can't be stitched, so the last one stands: {error}", { error: reason(error) });
    }
  }

  #make(subgraphs: readonly Subgraph[]): Graph {
    const parts = new Map([[OWN, this.own], ...subgraphs.map(({ service, schema }) => [service, schema] as const)]);
    return new Graph(this.#stitch(subgraphs), parts, this.calls);
  }

  #stitch(subgraphs: readonly Subgraph[]): GraphQLSchema {
    const { stitchingDirectivesTransformer } = stitchingDirectives();
    const remote = subgraphs.map(({ service, schema }): SubschemaConfig => ({
      schema,
      executor: (request) => this.calls.execute(service, request),
      batch: true,
    }));
    const stitched = stitchSchemas({
      subschemas: [...remote, { schema: this.own }],
      subschemaConfigTransforms: [stitchingDirectivesTransformer, withOwnKeys, withBoundedBatches],
      mergeDirectives: false,
    });
    // What begins with an underscore is between the gateway and its subgraphs.
    return filterSchema({
      schema: stitched,
      rootFieldFilter: (_, name) => !name.startsWith("_"),
      directiveFilter: isPublicDirective,
    });
  }
}

/**
 * What a type is joined by is asked for under names of our own: whoever calls another field `id` would otherwise be refused, or joined by
 * that field.
 */
function withOwnKeys(config: SubschemaConfig): SubschemaConfig {
  const renamed = (given: MergedTypeConfig) => {
    const names = given.selectionSet?.replace(/[{}]/g, "").trim().split(/\s+/) ?? [];
    // A key of nested fields is left as it is.
    if (names.length === 0 || !names.every((name) => /^\w+$/.test(name))) return given;
    const own = (result: Readonly<Record<string, unknown>>) => ({
      ...result,
      ...Object.fromEntries(names.map((name) => [name, result[KEY_PREFIX + name]])),
    });
    const { key, args } = given;
    return {
      ...given,
      selectionSet: `{ ${names.map((name) => `${KEY_PREFIX}${name}: ${name}`).join(" ")} }`,
      key: key && ((result) => key(own(result))),
      args: args && ((result) => args(own(result))),
    } satisfies MergedTypeConfig;
  };
  const merge = Object.entries(config.merge ?? {}).map(([type, given]) => {
    const entryPoints = given.entryPoints?.map((one) => renamed(one));
    return [type, entryPoints === undefined ? renamed(given) : { ...given, entryPoints }];
  });
  return { ...config, merge: Object.fromEntries(merge) };
}

/** A list within a list asks for more ids than a subgraph takes at once: they are asked for in turn. */
function withBoundedBatches(config: SubschemaConfig): SubschemaConfig {
  const merge = Object.entries(config.merge ?? {}).map(([type, given]) => {
    const entryPoints = given.entryPoints?.map((one) => ({ ...one, dataLoaderOptions: { maxBatchSize: BATCH_LIMIT } }));
    return [type, { ...given, entryPoints, dataLoaderOptions: { maxBatchSize: BATCH_LIMIT } }];
  });
  return { ...config, merge: Object.fromEntries(merge) };
}

function isPublicDirective(name: string): boolean {
  return ["skip", "include", "deprecated", "specifiedBy", "oneOf"].includes(name);
}
