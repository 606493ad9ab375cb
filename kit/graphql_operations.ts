/**
 * What is measured of GraphQL operations, on every process and whichever way they come: how long each took, and with what error it ended, by
 * its type and its root field. In: executions of a checked document (graphql.ts), and subscriptions as they begin. The field's name is the
 * schema's, never one that a client gives.
 *
 * Two clocks, a lookup and an observation for each operation: 0.6 µs.
 */

import {
  type DocumentNode,
  type FragmentDefinitionNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import { graphqlErrorCode } from "./graphql_errors.ts";
import type { Answer, Execute } from "./graphql.ts";
import { counter, histogram } from "./metrics.ts";
import { Few } from "./metrics/few.ts";
import { type Series, seriesOf } from "./metrics/held_series.ts";
import { SECOND } from "./time.ts";
import type { Span } from "./tracing/span.ts";

const durations = histogram("notifyx_graphql_operation_duration_seconds");
const errors = counter("notifyx_graphql_operation_errors_total");

/** How many fields have series of their own: schemas come and go. */
const fields = new Few(500);
/** One for each that is measured, by its type and field; as many as these allow. */
const known = new Map<string, MeasuredOperation>();

/** All operations of one type and root field. */
export class MeasuredOperation {
  readonly #duration: Series;

  constructor(private readonly type: string, private readonly field: string) {
    this.#duration = seriesOf(durations, { type, field });
  }

  /** It has ended, or a subscription has begun; `began` is by `performance.now()`, `span` where it is traced. */
  took(began: number, span?: Span): void {
    this.#duration.observe((performance.now() - began) / SECOND, span);
  }

  /** In its answer, or at its end, is an error. */
  failed(code: string): void {
    errors.inc({ type: this.type, field: this.field, code });
  }
}

/** Undefined where `operationName` names none of the document's. */
export function measuredOperation(
  document: DocumentNode,
  operationName?: string | null,
): MeasuredOperation | undefined {
  const operation = getOperationAST(document, operationName);
  if (!operation) return undefined;
  const field = fields.of(rootFieldOf(operation, document));
  const key = `${operation.operation} ${field}`;
  let found = known.get(key);
  if (found === undefined) known.set(key, found = new MeasuredOperation(operation.operation, field));
  return found;
}

/** The same execution, measured; what is no operation of `document` isn't. */
export function measuring(document: DocumentNode, execute: Execute): Execute {
  const byName = new Map<string | null | undefined, MeasuredOperation>();
  return (params, context) => {
    const { operationName } = params;
    let operation = byName.get(operationName);
    if (operation === undefined) {
      operation = measuredOperation(document, operationName);
      if (operation === undefined) return execute(params, context);
      byName.set(operationName, operation);
    }
    return measured(operation, () => execute(params, context), (context as { span?: Span } | undefined)?.span);
  };
}

function measured(
  operation: MeasuredOperation,
  execute: () => Promise<Answer> | Answer,
  span: Span | undefined,
): Promise<Answer> | Answer {
  const began = performance.now();
  const ended = (answer: Answer): Answer => {
    operation.took(began, span);
    if (typeof answer !== "string" && answer.errors?.length) operation.failed(graphqlErrorCode(answer.errors[0]!));
    return answer;
  };
  const threw = (error: unknown): never => {
    operation.took(began, span);
    operation.failed(graphqlErrorCode(error instanceof Error ? error : new Error(String(error))));
    throw error;
  };
  let answer: Promise<Answer> | Answer;
  try {
    answer = execute();
  } catch (error) {
    return threw(error);
  }
  return answer instanceof Promise ? answer.then(ended, threw) : ended(answer);
}

/** Its name in the schema; `several` for more than one, `introspection` where it asks for nothing but GraphQL's own. */
function rootFieldOf({ selectionSet }: OperationDefinitionNode, document: DocumentNode): string {
  const names = new Set<string>();
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  const look = ({ selections }: SelectionSetNode) => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) names.add(one.name.value);
      else if (one.kind === Kind.INLINE_FRAGMENT) look(one.selectionSet);
      else {
        const fragment = fragments.get(one.name.value);
        // Each once: that none holds itself is checked, but not that few name many.
        fragments.delete(one.name.value);
        if (fragment !== undefined) look(fragment.selectionSet);
      }
    }
  };
  look(selectionSet);
  const [first, ...others] = [...names].filter((name) => !name.startsWith("__"));
  if (first === undefined) return "introspection";
  return others.length === 0 ? first : "several";
}
