/**
 * How an operation is answered: what each service is asked for, in which order, and how the answers become one. Made once for a document
 * (planner.ts) and run for each request (run.ts).
 */

import type { DocumentNode, OperationTypeNode } from "graphql";

export interface Plan {
  readonly operation: OperationTypeNode;
  /** What the operation's root type is called. */
  readonly rootName: string;
  /** For a mutation one after the other, for a query all at once. */
  readonly roots: readonly RootRequest[];
  /** Where each field of the answer comes from, in its order. */
  readonly fields: readonly RootField[];
  /** What has to be asked for once the level before is there: one request for each service. */
  readonly levels: readonly (readonly LevelRequest[])[];
  /** By the number that each has; those of a deeper level behind those that they need. */
  readonly joins: readonly Join[];
  /** One service's answer is the operation's answer, byte for byte. */
  readonly isWhole: boolean;
}

/** A document for a service. */
export interface PlannedDocument {
  readonly service: string;
  readonly document: DocumentNode;
  /** The same as text, and as a JSON string. */
  readonly text: string;
  readonly json: string;
  /** The operation's variables that it uses. */
  readonly variables: readonly string[];
}

export interface RootRequest extends PlannedDocument {
  /** The fields of the answer that come from it. */
  readonly keys: readonly string[];
}

export interface RootField {
  readonly key: string;
  /** The number of the root request; -1 is none: it is the name of the root type. */
  readonly from: number;
  readonly isNonNull: boolean;
  readonly child: Child | undefined;
}

export interface LevelRequest extends PlannedDocument {
  /** The numbers of the joins that it is for. */
  readonly joins: readonly number[];
}

/** More of an object, from another service, by the object's key. */
export interface Join {
  readonly id: number;
  readonly type: string;
  /** The fields of the answer that it gives. */
  readonly keys: readonly string[];
  /** Where the key stands in the objects that it joins. */
  readonly keyAs: string;
  /** The variable that takes the keys, and where the rows stand in the answer. */
  readonly variable: string;
  readonly alias: string;
  readonly shape: Shape | undefined;
  /** How long a row may be kept for every viewer, in milliseconds, and under which name; 0 is not at all. */
  readonly keptForMs: number;
  readonly keptAs: string;
}

/** An object of an answer in which, or below which, there is something to do. */
export interface Shape {
  readonly children: readonly Child[];
  /** Of an object that is joined, every field in the order of the answer; undefined where it stays as it is. */
  readonly fields: readonly ShapeField[] | undefined;
  /** The numbers of the joins that begin at this object. */
  readonly joins: readonly number[];
}

export interface ShapeField {
  readonly key: string;
  /** The number of the join that gives it; -1 is the object itself. */
  readonly join: number;
  readonly isNonNull: boolean;
}

/** A field that holds objects, lists of them, lists of lists … */
export interface Child {
  readonly key: string;
  readonly shape: Shape;
  /** From the outside to the inside, one for each list and one for the object: whether null isn't allowed there. */
  readonly nonNull: readonly boolean[];
}
