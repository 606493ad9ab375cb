/** Which web pages may use a process: its own, and those that its settings name. Programs send no Origin, and are fine. */

import { UserError } from "./errors.ts";

export class Origins {
  readonly #allowed: ReadonlySet<string>;

  /** @param setting its name, for the error */
  constructor(allowed: readonly string[], private readonly setting: string) {
    this.#allowed = new Set(allowed);
  }

  isAllowed(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined) return true;
    return this.#allowed.has(origin) || (host !== undefined && URL.parse(origin)?.host === host);
  }

  /** @throws UserError `FORBIDDEN` */
  check(origin: string | undefined, host: string | undefined): void {
    if (!this.isAllowed(origin, host)) {
      throw new UserError("FORBIDDEN", `this Origin is not allowed (${this.setting})`);
    }
  }
}
