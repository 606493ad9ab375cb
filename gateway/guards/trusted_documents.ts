/**
 * Where a gateway is to take no documents but those of its own apps: a JSON file of them, `{"SHA-256 in hex": "document", …}`, as tools
 * write it that gather an app's documents. Clients ask by the hash, as for persisted queries, or by the very same text.
 */

import * as v from "valibot";
import { EXIT_CONFIG } from "../../kit/config.ts";
import { UserError } from "../../kit/errors.ts";
import { type DocumentsByHash, sha256 } from "./persisted_documents.ts";

const shape = v.record(v.string(), v.string());

export class TrustedDocuments implements DocumentsByHash {
  readonly #texts: ReadonlySet<string>;

  constructor(private readonly byHash: ReadonlyMap<string, string>) {
    this.#texts = new Set(byHash.values());
  }

  get size(): number {
    return this.byHash.size;
  }

  get(hash: string): string {
    const document = this.byHash.get(hash);
    if (document === undefined) throw new UserError("FORBIDDEN", "there is no trusted document of this hash");
    return document;
  }

  /** Nothing is added to them; what isn't one of them is refused by {@link check}. */
  offer(): void {}

  /** @throws UserError `FORBIDDEN` for a text that is none of them */
  check(document: string): void {
    if (!this.#texts.has(document)) {
      throw new UserError("FORBIDDEN", "only trusted documents are taken here, by their hash");
    }
  }
}

/** Those of the file; undefined where there is none. On a wrong one prints a line and exits, as for any wrong setting. */
export async function readTrustedDocuments(path: string | undefined): Promise<TrustedDocuments | undefined> {
  if (path === undefined) return undefined;
  const read = parseTrustedDocuments(await Deno.readTextFile(path).catch(() => undefined));
  if (read instanceof TrustedDocuments) return read;
  console.error(`NOTIFYX_TRUSTED_DOCUMENTS is ${JSON.stringify(path)}, which ${read}`);
  Deno.exit(EXIT_CONFIG);
}

/** The documents of a file's text, or what is wrong with it. */
export function parseTrustedDocuments(text: string | undefined): TrustedDocuments | string {
  if (text === undefined) return "can't be read";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "is not JSON";
  }
  const documents = v.safeParse(shape, json);
  if (!documents.success || Array.isArray(json)) return 'is not of the form {"SHA-256 in hex": "document", …}';
  for (const [hash, document] of Object.entries(documents.output)) {
    if (sha256(document) !== hash) return `has a document under ${JSON.stringify(hash)}, which is not its SHA-256`;
  }
  return new TrustedDocuments(new Map(Object.entries(documents.output)));
}
