/**
 * One version of the graph: its schema, its checked documents, and how they are executed: by a plan wherever there can be one, else by
 * graphql-js on the stitched schema. Who began on it may end on it.
 */

import {
  type DocumentNode,
  execute,
  getOperationAST,
  getVariableValues,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  visit,
} from "graphql";
import { LRUCache } from "lru-cache";
import { UserError } from "../../kit/errors.ts";
import {
  type Answer,
  DocumentCache,
  type DocumentRules,
  type Execute,
  executionArgs,
  OPEN_RULES,
  type OperationParams,
} from "../../kit/graphql.ts";
import type { Caller } from "../caller.ts";
import { Ownership } from "./ownership.ts";
import type { Plan } from "./plan.ts";
import { makePlan } from "./planner.ts";
import { runPlan, type Services } from "./run.ts";

/** How many plans one operation keeps: each combination of what `@skip` and `@include` depend on has its own. */
const PLANS_PER_OPERATION = 8;

export class Graph {
  readonly documents: DocumentCache;
  readonly #ownership: Ownership;

  /**
   * @param schema the stitched one
   * @param parts by the name of the service, the gateway's own among them
   */
  constructor(
    readonly schema: GraphQLSchema,
    parts: ReadonlyMap<string, GraphQLSchema>,
    private readonly services: Services,
    private readonly rules: DocumentRules = OPEN_RULES,
  ) {
    this.#ownership = new Ownership(parts);
    this.documents = new DocumentCache(schema, (document) => this.#executeOf(document), rules);
  }

  #executeOf(document: DocumentNode): Execute {
    const operations = new Map<OperationDefinitionNode, PlannedOperation>();
    return (params, context) => {
      const operation = getOperationAST(document, params.operationName);
      if (!operation) return this.#executeStitched(document, params, context);
      let planned = operations.get(operation);
      if (planned === undefined) {
        const { schema, rules: { hideSuggestions } } = this;
        planned = new PlannedOperation(schema, this.#ownership, document, operation, hideSuggestions);
        operations.set(operation, planned);
      }
      return this.#execute(planned, document, params, context as Caller);
    };
  }

  #execute(
    planned: PlannedOperation,
    document: DocumentNode,
    params: OperationParams,
    caller: Caller,
  ): Promise<Answer> | Answer {
    const { errors, coerced } = planned.coerce(params.variables ?? {});
    if (errors !== undefined) return { errors };
    const plan = planned.plan(coerced);
    if (plan instanceof UserError) return { errors: [plan] };
    if (plan === undefined) return this.#executeStitched(document, params, caller);
    return runPlan(plan, this.services, params.variables ?? {}, caller);
  }

  #executeStitched(document: DocumentNode, params: OperationParams, context: unknown): Promise<Answer> | Answer {
    const { schema, rules: { hideSuggestions } } = this;
    return execute(executionArgs({ schema, document, hideSuggestions }, params, context));
  }
}

class PlannedOperation {
  readonly #plans = new LRUCache<string, { plan: Plan | UserError | undefined }>({ max: PLANS_PER_OPERATION });
  /** The variables on which `@skip` and `@include` depend. */
  readonly #conditions: readonly string[];

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly ownership: Ownership,
    private readonly document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
    private readonly hideSuggestions: boolean,
  ) {
    this.#conditions = conditionsOf(document);
  }

  coerce(variables: Readonly<Record<string, unknown>>): ReturnType<typeof getVariableValues> {
    const { variableDefinitions } = this.operation;
    if (variableDefinitions === undefined || variableDefinitions.length === 0) return { coerced: {} };
    const { schema, hideSuggestions } = this;
    return getVariableValues(schema, variableDefinitions, variables, { maxErrors: 20, hideSuggestions });
  }

  plan(coerced: Readonly<Record<string, unknown>>): Plan | UserError | undefined {
    const key = this.#conditions.map((name) => String(coerced[name])).join();
    let known = this.#plans.get(key);
    if (known === undefined) {
      known = { plan: this.#make(coerced) };
      this.#plans.set(key, known);
    }
    return known.plan;
  }

  #make(coerced: Readonly<Record<string, unknown>>): Plan | UserError | undefined {
    try {
      return makePlan(this.schema, this.ownership, this.document, this.operation, coerced);
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  }
}

function conditionsOf(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: ({ name, arguments: args }) => {
      if (name.value !== "skip" && name.value !== "include") return;
      for (const { value } of args ?? []) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}
