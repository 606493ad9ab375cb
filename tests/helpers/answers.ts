/** Everything that a test file is answered, so that it can be searched for what must never leave the system. */

const INTERNAL: readonly RegExp[] = [
  // A stack, a file.
  /\n\s+at |node_modules|file:\/\/|\.(ts|js|mjs|sql)\b/,
  // SQL, and what PostgreSQL says.
  /\b(select .+ from|insert into|update .+ set|delete from)\b|SQLSTATE|relation "|column "|constraint|postgres|PREPARE TRANSACTION/i,
  // A host or a port of the cluster, and the errors of the system.
  /127\.0\.0\.1|localhost|ECONN|os error|\bNX\d{3}\b/,
];

/** From here to its disposal all answers to fetch, but pages and event streams, are kept; `using` checks them in the end. */
export class Answers implements Disposable {
  readonly #texts: Promise<string>[] = [];
  readonly #fetch = globalThis.fetch;

  constructor() {
    globalThis.fetch = async (...request: Parameters<typeof fetch>) => {
      const response = await this.#fetch(...request);
      const type = response.headers.get("content-type") ?? "";
      if (/json|plain/.test(type)) this.#texts.push(response.clone().text().catch(() => ""));
      return response;
    };
  }

  /** The answers so far, of which none may hold anything internal; `more` is searched as well. */
  async check(more: readonly string[] = []): Promise<number> {
    const texts = [...await Promise.all(this.#texts), ...more];
    for (const text of texts) assertNothingInternal(text);
    return texts.length;
  }

  [Symbol.dispose](): void {
    globalThis.fetch = this.#fetch;
  }
}

/** @throws Error that shows what in `text` belongs to the inside: a stack, an SQL text, a host, a file's name */
export function assertNothingInternal(text: string): void {
  for (const pattern of INTERNAL) {
    const found = pattern.exec(text);
    if (found !== null) throw new Error(`${JSON.stringify(found[0])} is internal: ${text.slice(0, 500)}`);
  }
}
