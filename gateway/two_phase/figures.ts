/** How sending goes, in numbers. In: the coordinator and the decision log. Out: what `transactions` answers. */

import { SECOND, withTimeLimit } from "../../kit/time.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DecisionLog } from "./decision_log.ts";

/** How long the log may take, in milliseconds. */
const LOG_LIMIT_MS = 2 * SECOND;

export interface TransactionFigures {
  readonly running: number;
  readonly committed: number;
  readonly aborted: number;
  readonly unconfirmed: number | null;
  readonly unconfirmedSince: string | null;
  readonly damaged: number;
}

export async function transactionFigures(
  { journal, phaseTwo }: Coordinator,
  decisions: DecisionLog,
): Promise<TransactionFigures> {
  const unfinished = await withTimeLimit("the decision log", LOG_LIMIT_MS, decisions.countUnfinished())
    .catch(() => undefined);
  return {
    running: journal.running().length,
    ...journal.counts,
    unconfirmed: unfinished?.count ?? null,
    unconfirmedSince: unfinished?.since?.toISOString() ?? null,
    damaged: phaseTwo.damagedCount,
  };
}
