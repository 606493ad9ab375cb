/**
 * Non-null fields of joined types that another service's objects get from here. In: the parts of the graph. Out: these fields; and a
 * service's types in which they are nullable: when it is away, they are null, and the object that another service gave stays.
 */

import { MapperKind, mapSchema } from "@graphql-tools/utils";
import { type GraphQLSchema, isNonNullType, isObjectType, type OperationTypeNode } from "graphql";
import type { Part } from "./conflicts.ts";

export interface CrossingField {
  /** Which service has the field, and which others have objects of its type without it. */
  readonly service: string;
  readonly from: readonly string[];
  readonly type: string;
  readonly field: string;
}

export function crossingFields(parts: readonly Part[]): CrossingField[] {
  return parts.flatMap(({ service, schema }) =>
    objectTypes(schema).flatMap(({ name, fields }) => {
      const others = parts.flatMap((other) => {
        const its = other.service === service ? undefined : other.schema.getType(name);
        return isObjectType(its) ? [{ service: other.service, fields: its.getFields() }] : [];
      });
      return fields.filter((field) => isNonNullType(field.type)).flatMap((field) => {
        const from = others.filter((other) => !Object.hasOwn(other.fields, field.name)).map((other) => other.service);
        return from.length === 0 ? [] : [{ service, from, type: name, field: field.name }];
      });
    })
  );
}

export function withNullable(schema: GraphQLSchema, fields: readonly CrossingField[]): GraphQLSchema {
  if (fields.length === 0) return schema;
  const names = new Set(fields.map(({ type, field }) => `${type}.${field}`));
  return mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (config, field, type) =>
      isNonNullType(config.type) && names.has(`${type}.${field}`) ? { ...config, type: config.type.ofType } : undefined,
  });
}

function objectTypes(schema: GraphQLSchema) {
  const roots = (["query", "mutation", "subscription"] as OperationTypeNode[]).map((one) => schema.getRootType(one));
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) && !type.name.startsWith("__") && !roots.includes(type)
      ? [{ name: type.name, fields: Object.values(type.getFields()) }]
      : []
  );
}
