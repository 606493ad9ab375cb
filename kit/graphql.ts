/**
 * GraphQL over HTTP as every process speaks it (npm `graphql-http`): each document is parsed and validated once, errors are masked,
 * and every error that leaves has a code.
 */

import {
  type DocumentNode,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
  type ValidationRule,
  visit,
} from "graphql";
import { createHandler, parseRequestParams } from "graphql-http";
import type { OperationArgs, Request as HttpRequest, RequestParams, Response as HttpResponse } from "graphql-http";
import { LRUCache } from "lru-cache";
import { lookupsOf, measureCache } from "./cache_metrics.ts";
import { countDatabaseError } from "./database_metrics.ts";
import { isErrorCode, UserError } from "./errors.ts";
import { graphqlErrorCode } from "./graphql_errors.ts";
import { measuring } from "./graphql_operations.ts";
import type { Logger } from "./log.ts";
import { counter } from "./metrics.ts";

const graphqlErrors = counter("notifyx_graphql_errors_total");
const documentsChecked = counter("notifyx_graphql_documents_checked_total");
const lookups = lookupsOf("documents");

/** What an operation is executed with, besides its document; `variables` as they came. */
export type OperationParams = Pick<RequestParams, "operationName" | "variables">;
/** A result; as text where it came so and holds data and nothing else. */
export type Answer = ExecutionResult | string;
/** Executes an operation of one checked document; `context` is what resolvers get. */
export type Execute = (params: OperationParams, context: unknown) => Promise<Answer> | Answer;

export interface ExecutableDocument {
  readonly document: DocumentNode;
  readonly schema: GraphQLSchema;
  /** As {@link DocumentRules.hideSuggestions}. */
  readonly hideSuggestions: boolean;
  readonly execute: Execute;
}

/** A document that may be executed, or what is wrong with it. */
export type CheckedDocument = ExecutableDocument | { readonly errors: readonly GraphQLError[] };

/** What documents have to hold to besides the schema. */
export interface DocumentRules {
  readonly maxTokens: number;
  /** What is wrong with a document for its size: asked before it is validated, which takes time by the square of it. */
  readonly inspect: (document: DocumentNode, schema: GraphQLSchema) => readonly GraphQLError[];
  /** Besides those of GraphQL itself. */
  readonly validationRules: readonly ValidationRule[];
  /** Whether errors don't name what of the schema may have been meant. */
  readonly hideSuggestions: boolean;
}

export const OPEN_RULES: DocumentRules = {
  maxTokens: 10_000,
  inspect: () => [],
  validationRules: [],
  hideSuggestions: false,
};

/** The largest document, in characters. */
const DOCUMENT_LIMIT = 100_000;
/** How many documents one schema remembers, and how many characters of them in all: parsed, each takes 100 to 170 bytes. */
const CACHED_DOCUMENTS = 2_000;
const CACHED_CHARACTERS = 500_000;

/**
 * Parses and validates each document once for each schema, since validating costs 100 µs and more, even for `{ ok }`; or twice: one is
 * kept when it comes again. Those that clients write anew for each request, with their values in the text, would else push out the ones
 * that do come again, and grow old in memory, where they cost much more to collect (100 MB of a gateway's). Subscriptions are kept at
 * once: those who share a document share its work.
 */
export class DocumentCache {
  /** Texts that came once. */
  readonly #once = new LRUCache<string, true>({
    max: CACHED_DOCUMENTS,
    maxSize: CACHED_CHARACTERS,
    sizeCalculation: (_, source) => source.length + 1,
  });
  readonly #checked = new LRUCache<string, CheckedDocument>({
    max: CACHED_DOCUMENTS,
    maxSize: CACHED_CHARACTERS,
    sizeCalculation: (_, source) => source.length + 1,
  });

  /** @param executeOf how a document is executed; by graphql-js on `schema` unless given */
  constructor(
    readonly schema: GraphQLSchema,
    private readonly executeOf?: (document: DocumentNode) => Execute,
    private readonly rules: DocumentRules = OPEN_RULES,
  ) {
    measureCache("documents", this.#checked);
  }

  check(source: string): CheckedDocument {
    let checked = this.#checked.get(source);
    if (checked !== undefined) {
      lookups.hits++;
      return checked;
    }
    lookups.misses++;
    documentsChecked.inc();
    checked = this.#checkNew(source);
    if (this.#once.delete(source) || hasSubscription(checked)) {
      if ("errors" in checked) checked = { errors: checked.errors.map(withoutTrace) };
      else removeTokens(checked.document);
      this.#checked.set(source, checked);
    } else {
      this.#once.set(source, true);
    }
    return checked;
  }

  #executeOf(document: DocumentNode): Execute {
    const { schema, rules: { hideSuggestions } } = this;
    return this.executeOf?.(document) ??
      ((params, context) => execute(executionArgs({ schema, document, hideSuggestions }, params, context)));
  }

  #checkNew(source: string): CheckedDocument {
    if (source.length > DOCUMENT_LIMIT) {
      return { errors: [new UserError("BAD_USER_INPUT", `the document is over ${DOCUMENT_LIMIT} characters`)] };
    }
    try {
      const { maxTokens, inspect, validationRules, hideSuggestions } = this.rules;
      const document = parse(source, { maxTokens });
      const refused = inspect(document, this.schema);
      if (refused.length > 0) return { errors: refused };
      const rules = [...specifiedRules, ...validationRules];
      const errors = validate(this.schema, document, rules, { maxErrors: 20, hideSuggestions });
      if (errors.length > 0) return { errors };
      return {
        document,
        schema: this.schema,
        hideSuggestions,
        execute: measuring(document, this.#executeOf(document)),
      };
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      // The parser and some rules are recursive, so that a document of the allowed size can still be nested beyond the stack.
      if (error instanceof RangeError) {
        return { errors: [new UserError("BAD_USER_INPUT", "the document is nested too deeply")] };
      }
      throw error;
    }
  }
}

function hasSubscription(checked: CheckedDocument): boolean {
  return "document" in checked &&
    checked.document.definitions.some((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.SUBSCRIPTION
    );
}

/** The parser's words and signs, half of what a document takes: its places keep their offsets, which is what errors need. */
function removeTokens(document: DocumentNode): void {
  visit(document, {
    enter({ loc }) {
      if (loc !== undefined) Object.assign(loc, { startToken: undefined, endToken: undefined });
    },
  });
}

/**
 * The error to be kept: it says where in the text it is, but holds neither the parsed document nor its stack, whose frames hold all that
 * validation had looked at (10 MB for a document of 500 fields).
 */
function withoutTrace({ message, source, positions, extensions }: GraphQLError): GraphQLError {
  const error = new GraphQLError(message, { source, positions, extensions });
  error.stack = "";
  return error;
}

export interface GraphQLHandlerOptions<Call> {
  /** The document that a request asks for; what it throws is the whole answer. */
  readonly check: (params: RequestParams, call: Call) => CheckedDocument | Promise<CheckedDocument>;
  /** What resolvers get as their context. */
  readonly context: (call: Call) => unknown;
  readonly log: Logger;
}

/** A request of any HTTP server; `body` is read only when it is needed. */
export interface GraphQLRequest<Call> {
  readonly method: string;
  readonly url: string;
  readonly header: (name: string) => string | undefined;
  readonly body: () => Promise<string>;
  readonly call: Call;
}

export type GraphQLHandler<Call> = (request: GraphQLRequest<Call>) => Promise<HttpResponse>;

export function createGraphQLHandler<Call>(options: GraphQLHandlerOptions<Call>): GraphQLHandler<Call> {
  const formatError = (error: Readonly<GraphQLError | Error>) => maskError(ofParameters(error), options.log);
  const handle = createHandler<GraphQLRequest<Call>, Call, Record<PropertyKey, unknown>>({
    formatError,
    parseRequestParams: requestParams,
    onSubscribe: async ({ context }, params) => {
      const checked = await options.check(params, context);
      if ("errors" in checked) return checked.errors;
      const run = () => checked.execute(params, options.context(context));
      return { ...executionArgs(checked, params, undefined), run } as unknown as OperationArgs<
        Record<PropertyKey, unknown>
      >;
    },
    execute: async (args) => {
      const result = resultOf(await (args as unknown as { run(): Promise<Answer> | Answer }).run());
      // Without data nothing was executed: its variables are wrong. As errors it gets the status of a wrong document.
      return "data" in result ? result : result.errors as unknown as ExecutionResult;
    },
  });
  return async ({ method, url, header, body, call }) => {
    // A body that is refused for itself (not UTF-8, too slow) keeps its own error: graphql-http would call it unparsable JSON.
    let refused: unknown;
    const read = () =>
      body().catch((error) => {
        refused = error;
        throw error;
      });
    const response = await handle({
      method,
      url,
      headers: { get: header },
      body: read,
      raw: undefined as never,
      context: call,
    } as HttpRequest<GraphQLRequest<Call>, Call>);
    if (refused instanceof UserError) throw refused;
    return withReason(response);
  };
}

/** What graphql-http says of a request's parameters is an Error like any other; what is wrong within it is a TypeError. */
function ofParameters(error: Readonly<GraphQLError | Error>): Readonly<GraphQLError | Error> {
  return error instanceof GraphQLError || error instanceof TypeError ? error : new GraphQLError(error.message);
}

export function resultOf(answer: Answer): ExecutionResult {
  return typeof answer === "string" ? JSON.parse(answer) as ExecutionResult : answer;
}

/**
 * What a request asks for. One that names its document by a hash alone (`extensions.persistedQuery`) is taken as well: its query is `""`.
 * @throws Error where it is no request of GraphQL
 */
export async function requestParams<Raw, Context>(request: HttpRequest<Raw, Context>) {
  const { url, body, ...others } = request;
  const isByHash = url.includes("persistedQuery") && !/[?&]query=/.test(url);
  const read = async () => withQuery(await (body as () => Promise<string>)());
  return await parseRequestParams({ ...others, url: isByHash ? `${url}&query=` : url, body: read } as HttpRequest<
    Raw,
    Context
  >);
}

function withQuery(text: string): string | Record<string, unknown> {
  const body = JSON.parse(text);
  // What is no object is refused as the text that it is.
  if (typeof body !== "object" || body === null) return text;
  return isByHashAlone(body) ? { ...body, query: "" } : body;
}

export function isByHashAlone({ query, extensions }: Readonly<Record<string, unknown>>): boolean {
  return (query === undefined || query === null) && typeof extensions === "object" && extensions !== null &&
    "persistedQuery" in extensions;
}

export function executionArgs(
  { schema, document, hideSuggestions }: Pick<ExecutionArgs, "schema" | "document" | "hideSuggestions">,
  params: OperationParams,
  contextValue: unknown,
): ExecutionArgs {
  const { operationName, variables: variableValues } = params;
  return { schema, document, contextValue, operationName, variableValues, hideSuggestions };
}

/**
 * The error as a client may read it. What we threw for it goes out as it is; what graphql-js says of the request is `BAD_USER_INPUT`;
 * all else is logged here and becomes `INTERNAL`, since its text may hold SQL, a host or a stack.
 */
export function maskError(error: Readonly<GraphQLError | Error>, log: Logger): GraphQLError {
  const masked = classify(error, log);
  graphqlErrors.inc({ code: String(masked.extensions.code) });
  return masked;
}

function classify(error: Readonly<GraphQLError | Error>, log: Logger): GraphQLError {
  const { path, nodes, source, positions, extensions, originalError } = error as GraphQLError;
  const at = { path, nodes, source, positions };
  if (isErrorCode(extensions?.code)) return new GraphQLError(error.message, { ...at, extensions: { ...extensions } });
  const code = graphqlErrorCode(error);
  if (code === "BAD_USER_INPUT") return new GraphQLError(error.message, { ...at, extensions: { code } });
  const cause = originalError ?? error;
  countDatabaseError(cause);
  if (code === "SERVICE_UNAVAILABLE") {
    log.warning("a resolver lost its database: {error}", { error: cause });
    return new GraphQLError("a service is away just now", { ...at, extensions: { code } });
  }
  if (code === "TIMEOUT") {
    log.warning("a resolver waited too long for its database: {error}", { error: cause });
    return new GraphQLError("the service took too long", { ...at, extensions: { code } });
  }
  log.error("a resolver failed: {error}", { error: cause, path });
  return new GraphQLError("internal error", { ...at, extensions: { code: "INTERNAL" } });
}

/** graphql-http leaves the body of a 405, 406 or 415 empty; a person should read why. */
function withReason([body, init]: HttpResponse): HttpResponse {
  if (init.status < 400) return [body, init];
  const message = init.status === 405
    ? "this route takes GET for queries and POST"
    : init.status === 406
    ? "answers are application/graphql-response+json or application/json"
    : "the body must be application/json";
  if (body !== null && init.status !== 405) return [body, init];
  return [JSON.stringify({ errors: [{ message, extensions: { code: "BAD_USER_INPUT" } }] }), {
    ...init,
    headers: { ...init.headers, "content-type": "application/json; charset=utf-8" },
  }];
}
