/**
 * Automatic persisted queries, Apollo's protocol: a client asks by the SHA-256 of its document (`extensions.persistedQuery`), is told
 * `PERSISTED_QUERY_NOT_FOUND` where that isn't known here, and then gives the document as well, once.
 */

import { LRUCache } from "lru-cache";
import { createHash } from "node:crypto";
import { measureCache } from "../../kit/cache_metrics.ts";
import { UserError } from "../../kit/errors.ts";

/** How many characters all of them may have. */
const MOST_CHARACTERS = 8_000_000;
const SHA256 = /^[\da-f]{64}$/;

/** What an operation is asked for with; `query` is empty where only its hash is given. */
export interface DocumentParams {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly extensions?: Readonly<Record<string, unknown>> | null;
}

/** Where documents are found by their hash. */
export interface DocumentsByHash {
  /** @throws UserError where it isn't known */
  get(hash: string): string;
  /** @throws UserError where it isn't taken */
  offer(hash: string, document: string): void;
}

export class PersistedDocuments implements DocumentsByHash {
  readonly #documents: LRUCache<string, string> | undefined;

  /** At most `most` of them; none with 0. */
  constructor(most: number) {
    this.#documents = most === 0 ? undefined : new LRUCache({
      max: most,
      maxSize: MOST_CHARACTERS,
      sizeCalculation: (document) => document.length + 1,
    });
    if (this.#documents !== undefined) measureCache("persisted", this.#documents);
  }

  get(hash: string): string {
    if (this.#documents === undefined) {
      throw new UserError("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported");
    }
    const document = this.#documents.get(hash);
    // Apollo's clients know both by these texts, too.
    if (document === undefined) throw new UserError("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
    return document;
  }

  offer(hash: string, document: string): void {
    if (this.#documents === undefined || this.#documents.get(hash) === document) return;
    if (sha256(document) !== hash) {
      throw new UserError("BAD_USER_INPUT", "persistedQuery.sha256Hash is not the SHA-256 of this query");
    }
    this.#documents.set(hash, document);
  }
}

/** The document that `params` ask for. @throws UserError `PERSISTED_QUERY_NOT_FOUND`, `BAD_USER_INPUT`, … */
export function resolveDocument({ query, extensions }: DocumentParams, documents: DocumentsByHash): string {
  const asked = extensions?.persistedQuery;
  if (asked === undefined || asked === null) return query;
  const { version, sha256Hash } = Object(asked) as Record<string, unknown>;
  if (version !== 1 || typeof sha256Hash !== "string" || !SHA256.test(sha256Hash)) {
    throw new UserError("BAD_USER_INPUT", "persistedQuery takes version 1 and sha256Hash, 64 hexadecimal digits");
  }
  if (query === "") return documents.get(sha256Hash);
  documents.offer(sha256Hash, query);
  return query;
}

export function sha256(document: string): string {
  return createHash("sha256").update(document).digest("hex");
}
