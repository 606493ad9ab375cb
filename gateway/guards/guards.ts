/**
 * What stands between a request and its execution, whichever way it comes (HTTP, event stream, WebSocket):
 *
 *   admit   its address has asked for no more than it may; before anything is read
 *   check   its document: found by its hash, trusted, of a bearable size (measured once, when it is first seen), its cost with these
 *           variables; then what it counts for its user, and for where it signs in
 *
 * With NOTIFYX_LIMITS=off nothing is counted by user or by address.
 */

import { type DocumentNode, type GraphQLSchema, NoSchemaIntrospectionCustomRule } from "graphql";
import { UserError } from "../../kit/errors.ts";
import type { CheckedDocument, DocumentCache, DocumentRules } from "../../kit/graphql.ts";
import { SECOND } from "../../kit/time.ts";
import type { Caller } from "../caller.ts";
import type { SocketConfig } from "../delivery/settings.ts";
import { costWith, type Variables } from "./cost.ts";
import { Lifetime } from "./lifetime.ts";
import {
  type DocumentLimits,
  type DocumentMeasure,
  measureDocument,
  type OperationMeasure,
  type SignIn,
} from "./measure.ts";
import { countRefused } from "./metrics.ts";
import { type DocumentParams, PersistedDocuments, resolveDocument } from "./persisted_documents.ts";
import { Rates } from "./rates.ts";
import type { GuardConfig } from "./settings.ts";
import type { Proxies } from "./address.ts";
import type { TrustedDocuments } from "./trusted_documents.ts";

/** An operation counts once for each of its root fields, or for each so many of its cost, whichever is more. */
const COST_OF_ONE = 1_000;
/** A request counts once more for each so many bytes of its body: to read 1 MiB of deep JSON takes 100 ms. */
const BYTES_OF_ONE = 4 * 1024;
/** A new document counts by the square of its size, as its validation takes time: once for each so many pairs of fields. */
const PAIRS_OF_ONE = 1_000;
/** The longest e-mail address there is, in characters; what is longer is no account of anybody. */
const ACCOUNT_LIMIT = 254;

export class Guards {
  /** For the cache of documents, which asks them once for each. */
  readonly rules: DocumentRules;
  /** The largest body, in bytes. */
  readonly bodyBytes: number;
  readonly proxies: Proxies;
  readonly #limits: DocumentLimits;
  readonly #mostCost: number;
  readonly #queryMs: number;
  readonly #measures = new WeakMap<DocumentNode, DocumentMeasure>();
  readonly #persisted: PersistedDocuments;
  readonly #trusted: TrustedDocuments | undefined;
  readonly #rates: Rates | undefined;
  /** What the document of the present look counts, where it had to be checked. */
  #newPoints = 0;

  /** @param secret the cluster's, by which its members are known */
  constructor(
    config: GuardConfig & Pick<SocketConfig, "NOTIFYX_LIMITS">,
    trusted?: TrustedDocuments,
    secret?: string,
  ) {
    const hideSuggestions = config.NOTIFYX_INTROSPECTION === "off";
    this.#limits = {
      depth: config.NOTIFYX_DOCUMENT_DEPTH,
      fields: config.NOTIFYX_DOCUMENT_FIELDS,
      aliases: config.NOTIFYX_DOCUMENT_ALIASES,
      directives: config.NOTIFYX_DOCUMENT_DIRECTIVES,
    };
    this.#mostCost = config.NOTIFYX_DOCUMENT_COST;
    this.#queryMs = config.NOTIFYX_QUERY_SECONDS * SECOND;
    this.rules = {
      maxTokens: config.NOTIFYX_DOCUMENT_TOKENS,
      inspect: (document, schema) => this.#inspect(document, schema),
      validationRules: hideSuggestions ? [NoSchemaIntrospectionCustomRule] : [],
      hideSuggestions,
    };
    this.bodyBytes = config.NOTIFYX_BODY_BYTES;
    this.proxies = { addresses: new Set(config.NOTIFYX_TRUSTED_PROXIES), secret };
    this.#trusted = trusted;
    this.#persisted = new PersistedDocuments(config.NOTIFYX_PERSISTED_DOCUMENTS);
    this.#rates = config.NOTIFYX_LIMITS === "off" ? undefined : new Rates(config);
  }

  /** `bodyBytes` is as its sender says; undefined where that is unknown. @throws UserError `RATE_LIMITED` */
  admit(address: string, bodyBytes: number | undefined): void {
    this.#rates?.ofAddress(address, 1 + Math.floor((bodyBytes ?? this.bodyBytes) / BYTES_OF_ONE));
  }

  /** How long those wait who ask for one execution. */
  lifetime(): Lifetime {
    return new Lifetime(this.#queryMs);
  }

  /** The document of `params`, to be executed for `caller`, or what is wrong with it. @throws UserError `RATE_LIMITED` */
  async check(documents: DocumentCache, params: DocumentParams, caller: Caller): Promise<CheckedDocument> {
    const checked = this.look(documents, params, caller.address);
    const { userId } = await caller.session();
    await this.count(checked, params, caller.address, userId);
    return checked;
  }

  /** The same for who wants to know what it is before it counts. @throws UserError `RATE_LIMITED` for new documents one after the other */
  look(documents: DocumentCache, params: DocumentParams, address: string): CheckedDocument {
    this.#newPoints = 0;
    const checked = this.#checked(documents, params);
    if (this.#newPoints > 0) this.#rates?.ofAddress(address, this.#newPoints);
    return checked;
  }

  /** Counts what is about to be executed; `userId` is null for an anonymous caller. @throws UserError `RATE_LIMITED`, also later */
  count(
    checked: CheckedDocument,
    params: DocumentParams,
    address: string,
    userId: string | null,
  ): Promise<void> | undefined {
    if (this.#rates === undefined || "errors" in checked) return undefined;
    const operation = this.#operation(checked.document, params.operationName);
    // An operationName that names none is refused by whoever executes it.
    if (operation === undefined) return undefined;
    const { rootFields, cost, signIns } = operation;
    const points = Math.max(1, rootFields, Math.ceil(costWith(cost, params.variables) / COST_OF_ONE));
    if (userId !== null) this.#rates.ofUser(userId, points);
    // The first was counted when it was admitted.
    else if (points > 1) this.#rates.ofAddress(address, points - 1);
    if (signIns.length === 0) return undefined;
    return this.#rates.ofSignIns(address, signIns.map(({ account }) => accountWith(account, params.variables)));
  }

  #checked(documents: DocumentCache, params: DocumentParams): CheckedDocument {
    try {
      const source = resolveDocument(params, this.#trusted ?? this.#persisted);
      this.#trusted?.check(source);
      const checked = documents.check(source);
      if ("errors" in checked) return checked;
      const cost = this.#operation(checked.document, params.operationName)?.cost;
      if (cost !== undefined && costWith(cost, params.variables) > this.#mostCost) {
        countRefused("cost");
        const why = `the operation may cost more than ${this.#mostCost}: ask for shorter lists or fewer fields`;
        throw new UserError("BAD_USER_INPUT", why);
      }
      return checked;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error.code === "FORBIDDEN") countRefused("untrusted");
      return { errors: [error] };
    }
  }

  #operation(document: DocumentNode, name: string | null | undefined): OperationMeasure | undefined {
    const operations = this.#measures.get(document)?.operations;
    if (operations === undefined || name) return operations?.get(name ?? "");
    return operations.size === 1 ? operations.values().next().value : undefined;
  }

  #inspect(document: DocumentNode, schema: GraphQLSchema): readonly UserError[] {
    try {
      const measure = measureDocument(document, schema, this.#limits);
      this.#newPoints += Math.floor(measure.size ** 2 / PAIRS_OF_ONE);
      this.#measures.set(document, measure);
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      countRefused("document");
      return [error];
    }
  }
}

/** As auth tells accounts apart, so that no other spelling of one is counted for itself. */
function accountWith(account: SignIn["account"], variables: Variables): string | undefined {
  const given = typeof account === "object" ? variables?.[account.variable] ?? account.otherwise : account;
  const name = typeof given === "string" ? given.trim() : undefined;
  return name !== undefined && name.length <= ACCOUNT_LIMIT ? name.normalize("NFC").toLowerCase() : undefined;
}
