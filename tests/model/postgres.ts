/**
 * PostgreSQL, as far as the protocol rests on it: a statement takes effect at one instant or not at all, whether or not whoever sent it
 * still lives, and its answer may be lost. Under the gateway's real classes lie the tables of gateway/migrations; under a participant's,
 * prepared transactions with their outcome rows, in the place of kit/participant/barrier.ts, whose own test has a real server.
 */

import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import type { Barrier } from "../../kit/participant/barrier.ts";
import { delay } from "../../kit/time.ts";
import type { Fate } from "./scenario.ts";
import type { Broken, Process } from "./world.ts";

/** The next fate, for a message or a statement: of a transaction, or of the looks that go on in the background whatever happens. */
export type Fates = (of: "transaction" | "background") => Fate;

export class Database {
  isOut = false;

  constructor(private readonly fates: Fates) {}

  /** One statement. A dead process hears nothing any more. @throws what `effect` throws; an error of the connection */
  async run<T>(process: Process, effect: () => T, of: Parameters<Fates>[0] = "transaction"): Promise<T> {
    const { delays, lost } = this.fates(of);
    await process.runs();
    if (delays[0] > 0) await delay(delays[0]);
    if (this.isOut || lost === "request") return await process.hears(Promise.reject(connectionError()));
    let answer: Promise<T>;
    try {
      answer = Promise.resolve(effect());
    } catch (error) {
      answer = Promise.reject(error);
    }
    answer.catch(() => {});
    if (delays[1] > 0) await delay(delays[1]);
    return await process.hears(lost === "answer" || this.isOut ? Promise.reject(connectionError()) : answer);
  }
}

function connectionError(): Error {
  return Object.assign(new Error("the connection is lost"), { code: "CONNECTION_CLOSED" });
}

/** What lease and recovery say again and again. */
const BACKGROUND = /leases|set owner|set done/;

interface Decision {
  readonly state: string;
  readonly participants: readonly string[];
  readonly decidedAt: number;
  done: boolean;
  owner: string;
}

interface Key {
  readonly transactionId: string;
  readonly fingerprint: string;
  readonly createdAt: number;
}

/** The gateways' tables. What a statement says of a transaction is told to `seen`. */
export class GatewayTables {
  readonly decisions = new Map<string, Decision>();
  readonly #leases = new Map<string, number>();
  readonly #keys = new Map<string, Key>();

  constructor(
    private readonly database: Database,
    private readonly broken: Broken | undefined,
    private readonly seen: (transactionId: string, state: string) => void,
  ) {}

  /** What kit/database.ts gives, for the statements of gateway/two_phase. */
  for(process: Process): Sql {
    const sql = (first: unknown, ...values: unknown[]) => {
      if (!Array.isArray(first) || !("raw" in first)) return first;
      const text = first.join("?").trim().replaceAll(/\s+/g, " ");
      const found = this.#statements.find(([start]) => text.startsWith(start));
      if (found === undefined) throw new Error(`the model doesn't know this statement: ${text}`);
      return this.database.run(
        process,
        () => found[1](...values as never[]),
        BACKGROUND.test(text) ? "background" : "transaction",
      );
    };
    return sql as unknown as Sql;
  }

  readonly #statements: [string, (...values: never[]) => unknown[]][] = [
    [
      "insert into decisions",
      (owner: string, ids: string[], states: string[], participants: string[]) =>
        ids.flatMap((id, at) => {
          const [state, before] = [states[at]!, this.decisions.get(id)];
          if (this.broken === "an inquiry writes nothing" && state === "aborted") return { transaction_id: id, state };
          if (before !== undefined && this.broken !== "the last decision wins") return [];
          const named = participants[at]!.split(",").filter((name) => name !== "");
          const done = state === "aborted";
          this.decisions.set(id, { state, participants: named, done, owner, decidedAt: Date.now() });
          this.seen(id, state);
          return { transaction_id: id, state };
        }),
    ],
    ["select transaction_id, state from decisions", (ids: string[]) =>
      ids.flatMap((id) => {
        const row = this.decisions.get(id);
        return row === undefined ? [] : { transaction_id: id, state: row.state };
      })],
    ["select state from decisions", (id: string) => {
      const row = this.decisions.get(id);
      return row === undefined ? [] : [{ state: row.state }];
    }],
    ["update decisions set done", (ids: string[]) => {
      for (const id of ids) {
        const row = this.decisions.get(id);
        if (row !== undefined) row.done = true;
      }
      return [];
    }],
    [
      "update decisions set owner",
      (owner: string, except: string[], _same: string, ownAfterMs: number, limit: number) => {
        if (this.broken === "nobody takes over") return [];
        const now = Date.now();
        const mine = [...this.decisions].filter(([id, row]) =>
          !row.done && !except.includes(id) &&
          (row.owner === owner ? row.decidedAt < now - ownAfterMs : (this.#leases.get(row.owner) ?? 0) <= now)
        );
        return mine.slice(0, limit).map(([transactionId, row]) => {
          row.owner = owner;
          return { transactionId, participants: row.participants };
        });
      },
    ],
    ["insert into leases", (id: string, leaseMs: number) => {
      this.#leases.set(id, Date.now() + leaseMs);
      return [];
    }],
    ["delete from leases", (id: string) => {
      this.#leases.delete(id);
      return [];
    }],
    ["insert into idempotency_keys", (user: string, key: string, fingerprint: string, transactionId: string) => {
      if (this.#keys.has(`${user} ${key}`)) return [];
      this.#keys.set(`${user} ${key}`, { transactionId, fingerprint, createdAt: Date.now() });
      return [{}];
    }],
    ["select transaction_id, fingerprint", (user: string, key: string) => {
      const row = this.#keys.get(`${user} ${key}`);
      if (row === undefined) return [];
      const { transactionId, fingerprint, createdAt } = row;
      return [{ transaction_id: transactionId, fingerprint, age_ms: Date.now() - createdAt }];
    }],
    [
      "update idempotency_keys",
      (transactionId: string, fingerprint: string, user: string, key: string, before: string) => {
        if (this.#keys.get(`${user} ${key}`)?.transactionId !== before) return [];
        this.#keys.set(`${user} ${key}`, { transactionId, fingerprint, createdAt: Date.now() });
        return [{}];
      },
    ],
    ["delete from", () => []],
  ];
}

export interface Prepared {
  readonly state: "prepared" | "committed" | "aborted";
  readonly since: number;
}

/** A service's prepared transactions and outcome rows; what must never be is told to `violated`. */
export class ParticipantTables {
  readonly rows = new Map<string, Prepared>();
  readonly #wasAborted = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly broken: Broken | undefined,
    private readonly violated: (what: string) => void,
  ) {}

  for(process: Process): Barrier {
    const run = <T>(effect: () => T, of?: Parameters<Fates>[0]) => this.database.run(process, effect, of);
    const barrier: Pick<Barrier, "prepare" | "commit" | "rollback" | "prepared" | "outcomesOlderThan" | "forget"> = {
      prepare: async (id) => {
        if (this.broken === "a vote before it is on the disk") {
          return void setTimeout(() => run(() => this.#prepare(id)).catch(() => {}), 300);
        }
        await run(() => this.#prepare(id));
      },
      commit: (id) => run(() => this.#commit(id)),
      rollback: (id) => run(() => this.#rollBack(id)),
      prepared: () =>
        run(
          () =>
            [...this.rows].filter(([, { state }]) => state === "prepared" && this.broken !== "nobody inquires").map((
              [transactionId, { since }],
            ) => ({ transactionId, ageMs: Date.now() - since })),
          "background",
        ),
      outcomesOlderThan: () => Promise.resolve([]),
      forget: () => Promise.resolve(),
    };
    return barrier as Barrier;
  }

  #prepare(id: string): void {
    const row = this.rows.get(id);
    if (row?.state === "aborted") throw new UserError("TRANSACTION_ABORTED", "this transaction was rolled back");
    if (row !== undefined) return;
    if (this.#wasAborted.has(id)) this.violated(`${id} is prepared after it was rolled back`);
    this.#set(id, "prepared");
  }

  #commit(id: string): void {
    const state = this.rows.get(id)?.state;
    if (state === "prepared") this.#set(id, "committed");
    else if (state !== "committed") throw new UserError("CONFLICT", `this transaction is ${state ?? "unknown"}`);
  }

  #rollBack(id: string): void {
    if (this.rows.get(id)?.state === "committed") throw new UserError("CONFLICT", "this transaction is committed");
    this.#wasAborted.add(id);
    if (this.broken === "a rollback leaves no row") this.rows.delete(id);
    else this.#set(id, "aborted");
  }

  #set(id: string, state: Prepared["state"]): void {
    this.rows.set(id, { state, since: Date.now() });
  }
}
