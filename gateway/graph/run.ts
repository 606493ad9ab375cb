/**
 * Runs a plan: asks the services level by level and makes one answer of theirs. In: a plan, the operation's variables as they came, who
 * asks. Out: the answer; what a service can't give is null with an error, and the rest is there.
 */

import { type ExecutionResult, type GraphQLError, OperationTypeNode } from "graphql";
import { UserError } from "../../kit/errors.ts";
import { type Answer, resultOf } from "../../kit/graphql.ts";
import type { Logger } from "../../kit/log.ts";
import type { Caller } from "../caller.ts";
import { errorAt, errorOf, type Path, pathOf } from "./answer.ts";
import { assemble, assembleChild, NULLED } from "./assemble.ts";
import { collect, collectChild, Joined } from "./joined.ts";
import type { RowCache } from "./row_cache.ts";
import type { LevelRequest, Plan, PlannedDocument, RootRequest } from "./plan.ts";

export type Variables = Readonly<Record<string, unknown>>;

export interface Services {
  /** @throws UserError where the service doesn't answer */
  ask(request: PlannedDocument, operation: OperationTypeNode, variables: Variables, caller: Caller): Promise<Answer>;
  readonly rows: RowCache;
  readonly log: Logger;
}

/** How many keys a service takes at once, as ours have it: `_users`, `_topics`. */
const KEYS_AT_ONCE = 1_000;
/** How many errors one answer tells. */
const ERROR_LIMIT = 100;

type Objects = Record<string, unknown>;

/** What came of a root request. */
type Outcome = { readonly answer: Answer } | { readonly error: unknown };

export async function runPlan(plan: Plan, services: Services, variables: Variables, caller: Caller): Promise<Answer> {
  const run = new Run(plan, services, variables, caller);
  const outcomes = await run.askRoots();
  if (plan.isWhole) {
    const [outcome] = outcomes as [Outcome];
    if ("answer" in outcome && typeof outcome.answer === "string") return outcome.answer;
  }
  return await run.finish(outcomes);
}

class Run {
  readonly #joined: readonly Joined[];
  readonly #errors: GraphQLError[] = [];

  constructor(
    private readonly plan: Plan,
    private readonly services: Services,
    private readonly variables: Variables,
    private readonly caller: Caller,
  ) {
    this.#joined = plan.joins.map((join) => new Joined(join));
  }

  async askRoots(): Promise<Outcome[]> {
    const { plan: { operation, roots, fields } } = this;
    if (operation !== OperationTypeNode.MUTATION) return await Promise.all(roots.map((root) => this.#askRoot(root)));
    const outcomes: Outcome[] = [];
    for (const [from, root] of roots.entries()) {
      const outcome = await this.#askRoot(root);
      outcomes.push(outcome);
      const data = "answer" in outcome ? resultOf(outcome.answer).data : null;
      // What must not be null and is ends the operation: the mutations behind it are not begun.
      if (fields.some((field) => field.from === from && field.isNonNull && data?.[field.key] == null)) break;
    }
    return outcomes;
  }

  async finish(outcomes: readonly Outcome[]): Promise<ExecutionResult> {
    const roots = outcomes.map((outcome, from) => this.#readRoot(outcome, this.plan.roots[from]!));
    for (const { key, from, child } of this.plan.fields) {
      if (child !== undefined) collectChild(roots[from]?.[key], child, { parent: undefined, key }, this.#joined);
    }
    for (const level of this.plan.levels) {
      await Promise.all(level.map((request) => this.#askLevel(request)));
    }
    // Those of deeper levels first: a row is whole before it is put anywhere.
    for (const { rows, join: { shape } } of this.#joined.toReversed()) {
      if (shape === undefined) continue;
      for (const [nth, row] of rows.entries()) if (row != null) rows[nth] = this.#assemble(row as Objects, shape);
    }
    const data = this.#assembleRoots(roots);
    return this.#errors.length === 0 ? { data } : { errors: this.#errors, data };
  }

  async #askRoot(root: RootRequest): Promise<Outcome> {
    try {
      return {
        answer: await this.services.ask(root, this.plan.operation, pick(this.variables, root.variables), this.caller),
      };
    } catch (error) {
      return { error };
    }
  }

  #readRoot(outcome: Outcome, { service, keys }: RootRequest): Objects | undefined {
    if ("error" in outcome) {
      for (const key of keys) this.#fail(errorAt(outcome.error, [key]));
      return undefined;
    }
    const { data, errors } = resultOf(outcome.answer);
    for (const error of errors ?? []) this.#fail(errorOf(service, error, pathOf(error), this.services.log));
    return data ?? undefined;
  }

  async #askLevel(request: LevelRequest): Promise<void> {
    const joined = request.joins.map((id) => this.#joined[id]!);
    for (const one of joined) this.#recall(one);
    const most = Math.max(...joined.map(({ asked }) => asked.length));
    const first = [];
    for (let from = 0; from < most; from += KEYS_AT_ONCE) first.push(from);
    await Promise.all(first.map((from) => this.#askRows(request, joined, from)));
    for (const one of joined) {
      const { rows, join: { shape } } = one;
      if (shape === undefined) continue;
      for (const [nth, row] of rows.entries()) {
        if (row != null) collect(row as Objects, shape, { joined: one, nth }, this.#joined);
      }
    }
  }

  /** Takes what is kept; the rest has to be asked for. */
  #recall(joined: Joined): void {
    const { keys, rows, join } = joined;
    const all = [...keys.keys()];
    joined.asked = join.keptForMs === 0 ? all : all.filter((nth) => {
      const row = this.services.rows.get(join, keys[nth], this.caller.token === null);
      if (row !== undefined) rows[nth] = row;
      return row === undefined;
    });
  }

  /** The rows of those that have to be asked for, from the one at `from` on. */
  async #askRows(request: LevelRequest, joined: readonly Joined[], from: number): Promise<void> {
    const { service } = request;
    const variables = pick(this.variables, request.variables);
    const wanted = joined.map(({ asked }) => asked.slice(from, from + KEYS_AT_ONCE));
    for (const [at, { keys, join }] of joined.entries()) variables[join.variable] = wanted[at]!.map((nth) => keys[nth]);
    let result: ExecutionResult;
    try {
      result = resultOf(await this.services.ask(request, OperationTypeNode.QUERY, variables, this.caller));
    } catch (error) {
      for (const [at, one] of joined.entries()) this.#failRows(one, wanted[at]!, (path) => errorAt(error, path));
      return;
    }
    const { data, errors = [] } = result;
    const told = new Set<unknown>();
    for (const [at, one] of joined.entries()) {
      const { join } = one;
      const rows = data?.[join.alias];
      const ofThese = errors.filter((error) => pathOf(error)?.[0] === join.alias);
      if (!Array.isArray(rows)) {
        const error = ofThese[0] ?? errors[0];
        for (const one of [error, ...ofThese]) told.add(one);
        this.#failRows(one, wanted[at]!, (path) => errorOf(service, error, path, this.services.log));
        continue;
      }
      const isKept = join.keptForMs > 0 && errors.length === 0;
      for (const [nth, row] of rows.entries()) {
        const number = wanted[at]![nth]!;
        one.rows[number] = row;
        if (isKept && row !== null) this.services.rows.set(join, one.keys[number], this.caller.token === null, row);
      }
      for (const error of ofThese) {
        const [, nth, ...rest] = pathOf(error)!;
        const number = wanted[at]![Number(nth)];
        if (number === undefined) continue;
        told.add(error);
        for (const path of one.paths(number)) {
          this.#fail(errorOf(service, error, [...path, ...rest], this.services.log));
        }
      }
    }
    // Of which row they are, the service doesn't say.
    for (const error of errors) {
      if (!told.has(error)) this.#fail(errorOf(service, error, undefined, this.services.log));
    }
  }

  /** Each field that these rows would have given has the error. */
  #failRows(joined: Joined, numbers: readonly number[], error: (path: Path) => GraphQLError): void {
    joined.failed = true;
    for (const nth of numbers) {
      if (this.#errors.length >= ERROR_LIMIT) return;
      for (const path of joined.paths(nth)) for (const key of joined.join.keys) this.#fail(error([...path, key]));
    }
  }

  #assemble(object: Objects, shape: NonNullable<Joined["join"]["shape"]>) {
    return assemble(object, shape, this.#joined, (joined, key, field) => this.#missing(joined, key, field));
  }

  #assembleRoots(roots: readonly (Objects | undefined)[]): Objects | null {
    const data: Objects = {};
    for (const { key, from, isNonNull, child } of this.plan.fields) {
      const given = from < 0 ? this.plan.rootName : roots[from]?.[key] ?? null;
      const value = child === undefined ? given : assembleChild(given, child, 0, this.#joined, (joined, of, field) => {
        this.#missing(joined, of, field);
      });
      if (value === NULLED || value === null && isNonNull) return null;
      data[key] = value;
    }
    return data;
  }

  #missing(joined: Joined, key: unknown, field: string): void {
    const error = new UserError("NOT_FOUND", `there is no such ${joined.join.type}`);
    for (const path of joined.pathsOf(key)) this.#fail(errorAt(error, [...path, field]));
  }

  #fail(error: GraphQLError): void {
    if (this.#errors.length < ERROR_LIMIT) this.#errors.push(error);
  }
}

function pick(variables: Variables, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) if (Object.hasOwn(variables, name)) picked[name] = variables[name];
  return picked;
}
