/** Questions of a participant to the gateways: any of them answers for all, since the decision log is theirs together. */

import { callFor } from "../call.ts";
import type { Directory } from "../directory.ts";
import { SECOND } from "../time.ts";

const LIMIT_MS = 3 * SECOND;

export class Gateways {
  #turn = 0;

  constructor(private readonly directory: Directory, private readonly secret: string) {}

  /** What was decided. One that is undecided is aborted by asking, unless its coordinator is still at it: `pending`. */
  async inquire(transactionId: string): Promise<"pending" | "committed" | "aborted"> {
    const { state } = await this.#post<{ state?: unknown }>(`/api/transactions/${transactionId}/inquire`, {});
    if (state === "pending" || state === "committed" || state === "aborted") return state;
    throw new Error("the gateway's answer has no state");
  }

  /** Of `transactionIds`, those that some gateway may still ask to commit. */
  async unfinished(transactionIds: readonly string[]): Promise<Set<string>> {
    const { unfinished } = await this.#post<{ unfinished: string[] }>("/api/transactions/unfinished", {
      ids: transactionIds,
    });
    return new Set(unfinished);
  }

  #post<T>(path: string, body: unknown): Promise<T> {
    const gateways = this.directory.instances("gateway");
    if (gateways.length === 0) throw new Error("discovery names no gateway");
    const { url } = gateways[this.#turn++ % gateways.length]!;
    return callFor<T>(url + path, { body, secret: this.secret, limitMs: LIMIT_MS });
  }
}
