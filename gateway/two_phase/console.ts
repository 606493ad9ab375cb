/**
 * The in-doubt console: running, unfinished and recent transactions on the gateway's status page, with what each participant says of each,
 * asked at that moment. It only looks.
 */

import { call } from "../../kit/call.ts";
import type { StatusPage, StatusSection } from "../../kit/status_page.ts";
import { SECOND } from "../../kit/time.ts";
import type { Balancer } from "../balancer.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DecisionLog } from "./decision_log.ts";
import type { RequiredParticipants } from "./required.ts";

/** How many transactions of each kind are shown. */
const MOST_SHOWN = 20;
/** How long a participant may take to say what it knows, in milliseconds. */
const ASK_LIMIT_MS = SECOND;

export interface ConsoleParts {
  readonly coordinator: Coordinator;
  readonly decisions: DecisionLog;
  readonly required: RequiredParticipants;
  readonly balancer: Balancer;
  readonly secret: string;
}

export function transactionSections(parts: ConsoleParts): StatusPage {
  const { coordinator, decisions, required } = parts;
  const services = () => required.of("sendNotification");
  return [
    () =>
      shown(
        parts,
        "Transactions: running here",
        coordinator.journal.running().slice(0, MOST_SHOWN).map((entry) => ({
          id: entry.transactionId,
          cells: [entry.state, since(entry.beganAt), ""],
          services: services(),
        })),
      ),
    async () =>
      shown(
        parts,
        "Transactions: decided, not confirmed by all",
        (await decisions.unfinished(MOST_SHOWN)).map((one) => ({
          id: one.transactionId,
          cells: ["committed", since(one.decidedAt.getTime()), retries(coordinator, one.transactionId)],
          services: one.participants,
        })),
      ),
    () =>
      shown(
        parts,
        "Transactions: ended here lately",
        coordinator.journal.ended().map((entry) => ({
          id: entry.transactionId,
          cells: [entry.state, since(entry.beganAt), entry.reason ?? `took ${entry.tookMs} ms`],
          services: services(),
        })),
      ),
  ];
}

interface Row {
  readonly id: string;
  readonly cells: readonly string[];
  readonly services: readonly string[];
}

async function shown(parts: ConsoleParts, title: string, rows: readonly Row[]): Promise<StatusSection> {
  const services = [...new Set(rows.flatMap((row) => row.services))].sort();
  const says = await Promise.all(
    rows.map((row) =>
      Promise.all(services.map((service) => row.services.includes(service) ? ask(parts, service, row.id) : "not asked"))
    ),
  );
  return {
    title,
    columns: ["transaction", "decision", "began", "", ...services],
    rows: rows.map((row, at) => [row.id, ...row.cells, ...says[at]!]),
  };
}

/** What a participant says: prepared, committed, aborted, unknown; or why it says nothing. */
async function ask({ balancer, secret }: ConsoleParts, service: string, transactionId: string): Promise<string> {
  try {
    const { status, body } = await balancer.ask(service, ASK_LIMIT_MS, ({ url }, limitMs) => {
      return call(`${url}/api/transactions_2pc/${transactionId}`, { secret, limitMs });
    });
    if (status === 404) return "can't say";
    const state = (body as { state?: unknown } | null)?.state;
    return typeof state === "string" ? state.slice(0, 20) : `answers ${status}`;
  } catch {
    return "away";
  }
}

function retries(coordinator: Coordinator, transactionId: string): string {
  if (coordinator.phaseTwo.isDamaged(transactionId)) {
    return "DAMAGE: a participant can't commit it; see deno task audit";
  }
  const rounds = coordinator.phaseTwo.roundsOf(transactionId);
  return rounds === 0 ? "another gateway's" : `${rounds} rounds here`;
}

function since(time: number): string {
  const seconds = Math.round((Date.now() - time) / SECOND);
  return seconds < 120 ? `${seconds} s ago` : new Date(time).toISOString();
}
