/**
 * One schema of the gateway's own part and the services', joined by the keys that they declare (`@key`, `@merge` of npm
 * `@graphql-tools/stitching-directives`). In: each service's types, and what executes a request there. Out: the schema that clients see.
 */

import type { MergedTypeConfig, SubschemaConfig } from "@graphql-tools/delegate";
import { stitchSchemas } from "@graphql-tools/stitch";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { type Executor, filterSchema } from "@graphql-tools/utils";
import type { GraphQLSchema } from "graphql";
import { isPrivate, type Part } from "./conflicts.ts";
import { crossingFields, withNullable } from "./crossing.ts";
import { withErrorsInPlace } from "./error_places.ts";

/** How many ids one `@merge` field is given, as the services have it: `_users`, `_topics`. */
const BATCH_LIMIT = 1_000;
const KEY_PREFIX = "_key_";

/** @throws Error where they can't be stitched: directives that say nothing sensible */
export function stitch(
  parts: readonly Part[],
  own: GraphQLSchema,
  executorOf: (service: string) => Executor,
): GraphQLSchema {
  const { stitchingDirectivesTransformer } = stitchingDirectives();
  const crossing = Map.groupBy(crossingFields(parts), ({ service }) => service);
  const services = new Map(parts.map(({ service, schema }) => [schema, service]));
  const withCrossing = ({ schema, ...config }: SubschemaConfig): SubschemaConfig => ({
    ...config,
    schema: withNullable(schema, crossing.get(services.get(schema) ?? "") ?? []),
  });
  const remote = parts.map(({ service, schema }) => ({ schema, executor: executorOf(service), batch: true }));
  const stitched = stitchSchemas({
    subschemas: [...remote, { schema: own }],
    subschemaConfigTransforms: [stitchingDirectivesTransformer, withCrossing, withOwnKeys, withBoundedBatches],
    mergeDirectives: false,
  });
  // What begins with an underscore is between the gateway and its subgraphs.
  return withErrorsInPlace(filterSchema({
    schema: stitched,
    rootFieldFilter: (_, name) => !isPrivate(name),
    directiveFilter: isPublicDirective,
  }));
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
