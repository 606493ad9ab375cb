/**
 * The two-phase commit in one process and no time: real are the coordinator, phase two, recovery, leases, the decision log, idempotency
 * keys, the routes of inquiries, the participants' calls and their look for what is in doubt; modelled are PostgreSQL (postgres.ts), the
 * network (network.ts), discovery and the clock. In: a scenario. Out: what it violated of the protocol, in words.
 *
 * A crash takes a process's memory: whatever it had begun neither hears nor says anything any more, and what starts in its place
 * has the databases alone.
 */

import { Hono } from "hono";
import { Balancer } from "../../gateway/balancer.ts";
import type { CallName, Channels } from "../../gateway/two_phase/channels.ts";
import { Coordinator } from "../../gateway/two_phase/coordinator.ts";
import { DecisionLog } from "../../gateway/two_phase/decision_log.ts";
import { IdempotencyKeys } from "../../gateway/two_phase/idempotency.ts";
import { Lease } from "../../gateway/two_phase/lease.ts";
import { Participants } from "../../gateway/two_phase/participants.ts";
import { Recovery } from "../../gateway/two_phase/recovery.ts";
import type { RequiredParticipants } from "../../gateway/two_phase/required.ts";
import { serveTransactions } from "../../gateway/two_phase/routes.ts";
import type { CallAnswer } from "../../kit/call.ts";
import { isConnectionError } from "../../kit/database_errors.ts";
import type { Directory, Instance } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import type { App, Env } from "../../kit/http.ts";
import type { Logger } from "../../kit/log.ts";
import { Calls } from "../../kit/participant/calls.ts";
import type { Gateways } from "../../kit/participant/gateways.ts";
import { InDoubt } from "../../kit/participant/in_doubt.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { VirtualClock } from "./clock.ts";
import { Network } from "./network.ts";
import { Database, type Fates, GatewayTables, ParticipantTables } from "./postgres.ts";
import { DATABASES, type Fate, HEAL_AT, type NodeName, NODES, type Scenario, type Send, SERVICES } from "./scenario.ts";
import type { ServiceName, Trouble } from "./scenario.ts";

/** Rules that the model can break on purpose, to see that the property finds out. */
export const BROKEN = [
  "decided before all votes",
  "an error of the log is an abort",
  "the last decision wins",
  "an inquiry writes nothing",
  "a key without a decision is free",
  "nobody takes over",
  "nobody inquires",
  "a rollback leaves no row",
  "a vote before it is on the disk",
] as const;
export type Broken = typeof BROKEN[number];

/** "Within 15 s of everything being back nothing is in doubt"; until then every sender with a key has its answer, too. */
const SETTLED_AT = HEAL_AT + 15 * SECOND;
const END = SETTLED_AT + 5 * SECOND;
const SECRET = "the model's";
const OPERATION = "sendNotification";
const GOOD: Record<Parameters<Fates>[0], Fate> = { transaction: { delays: [1, 1] }, background: { delays: [0, 0] } };

/** One life of a process. It can be frozen, too: what happens to it then happens when it goes on. */
export class Process {
  #isDead = false;
  #missed: (() => void)[] | undefined;

  constructor(readonly serve: Serve) {}

  kill(): void {
    this.#isDead = true;
    this.#missed = undefined;
  }

  freeze(): void {
    this.#missed ??= [];
  }

  thaw(): void {
    const missed = this.#missed ?? [];
    this.#missed = undefined;
    for (const go of missed) go();
  }

  /** Resolves in a process that runs; never in a dead one. */
  runs(): Promise<void> {
    return this.hears(Promise.resolve());
  }

  /** What becomes of `promise`, once this process hears it. */
  hears<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) =>
      promise.then((value) => this.#go(() => resolve(value)), (error) => this.#go(() => reject(error)))
    );
  }

  #go(on: () => void): void {
    if (this.#missed !== undefined) this.#missed.push(on);
    else if (!this.#isDead) on();
  }
}

/** What a process does for others: a participant its three calls, a gateway inquiries and sends. */
interface Serve {
  readonly call?: (name: CallName, body: unknown) => Promise<CallAnswer>;
  readonly inquire?: (transactionId: string) => Promise<CallAnswer>;
  readonly send?: (send: Send, attempted: (transactionId: string) => void) => Promise<string>;
}

interface Program {
  readonly serve: Serve;
  readonly begin: (self: Process) => void;
}

export type Told = "committed" | "aborted" | "unknown";

export interface Result {
  /** In words; nothing when all went well. */
  readonly violations: readonly string[];
  /** What the senders were told in the end, by transaction. */
  readonly told: ReadonlyMap<string, Told>;
}

export async function simulate(scenario: Scenario, broken?: Broken): Promise<Result> {
  using clock = new VirtualClock(scenario.seed);
  const world = new World(scenario, clock, broken);
  await clock.runUntil(SETTLED_AT);
  world.checkInDoubt();
  await clock.runUntil(END);
  world.checkEnd();
  return world;
}

class World {
  readonly violations: string[] = [];
  readonly #fates: Record<Parameters<Fates>[0], Iterator<Fate>>;
  readonly #network: Network;
  readonly #places = new Map<NodeName, { process: Process | undefined; backAt: number }>();
  private readonly databases: Record<typeof DATABASES[number], Database>;
  readonly #gateway: GatewayTables;
  private readonly participants: Record<ServiceName, ParticipantTables>;
  readonly #vanished = new Set<string>();
  /** What was said of a transaction first. */
  readonly #decided = new Map<string, string>();
  /** What the sender of a transaction was told, and what key it was for. */
  readonly told = new Map<string, Told>();
  readonly #keyOf = new Map<string, number>();
  #waiting = 0;

  constructor(scenario: Scenario, private readonly clock: VirtualClock, private readonly broken: Broken | undefined) {
    this.#fates = { transaction: scenario.fates.values(), background: scenario.looks.values() };
    const fates: Fates = (of) => this.#nextFate(of);
    this.#network = new Network(fates, () => clock.now);
    const databases = DATABASES.map((name) => [name, new Database(fates)] as const);
    this.databases = Object.fromEntries(databases) as World["databases"];
    this.#gateway = new GatewayTables(this.databases.gateway, broken, (id, state) => this.#see(id, state));
    const violated = (what: string) => void this.violations.push(what);
    this.participants = Object.fromEntries(
      SERVICES.map((name) => [name, new ParticipantTables(this.databases[name], broken, violated)]),
    ) as World["participants"];
    for (const name of NODES) {
      this.#places.set(name, { process: undefined, backAt: 0 });
      this.#start(name);
    }
    for (const trouble of scenario.troubles) setTimeout(() => this.#befall(trouble), trouble.at);
    for (const send of scenario.sends) setTimeout(() => this.#ask(send), send.at);
  }

  /** Nothing that began in the bad time is prepared any more. */
  checkInDoubt(): void {
    for (const service of SERVICES) {
      for (const [id, { state, since }] of this.participants[service].rows) {
        if (state === "prepared" && since < Date.now() - (SETTLED_AT - HEAL_AT)) {
          this.violations.push(`${service} holds ${id} prepared 15 s after everything was back`);
        }
      }
    }
  }

  checkEnd(): void {
    const ids = new Set([
      ...this.told.keys(),
      ...SERVICES.flatMap((name) => [...this.participants[name].rows.keys()]),
    ]);
    for (const id of ids) {
      const states = SERVICES.map((name) => this.participants[name].rows.get(id)?.state);
      const shown = SERVICES.map((name, at) => `${name} ${states[at] ?? "nothing"}`).join(", ");
      const isCommitted = states.includes("committed");
      if (states.includes("prepared")) this.violations.push(`${id} stays prepared: ${shown}`);
      if (isCommitted && states.some((state) => state !== "committed")) this.violations.push(`${id} is half: ${shown}`);
      const told = this.told.get(id);
      if (told === "committed" && !isCommitted) this.violations.push(`told committed, but ${shown}`);
      if (told === "aborted" && isCommitted) this.violations.push(`told aborted, but ${shown}`);
      const decided = this.#gateway.decisions.get(id);
      if (isCommitted !== (decided?.state === "committed")) {
        this.violations.push(`the log says ${decided?.state ?? "nothing"}, but ${shown}`);
      }
      if (decided?.done === false) this.violations.push(`${id} is never marked as done: ${shown}`);
    }
    const keys = [...this.#keyOf].filter(([id]) => this.#gateway.decisions.get(id)?.state === "committed");
    if (new Set(keys.map(([, key]) => key)).size < keys.length) this.violations.push("a key was sent twice");
    if (this.#waiting > 0) this.violations.push("a sender with a key has no answer");
  }

  #nextFate(of: Parameters<Fates>[0]): Fate {
    const left = Math.max(0, HEAL_AT - this.clock.now);
    const { value, done } = this.#fates[of].next();
    if (done || left === 0) return GOOD[of];
    // What is on its way when everything is back arrives then.
    const [there, back] = value.delays;
    return { ...value, delays: [Math.min(there, left), Math.min(back, left)] };
  }

  #see(id: string, state: string): void {
    const before = this.#decided.get(id);
    if (before !== undefined && before !== state) this.violations.push(`${id} was ${before} and is ${state}`);
    this.#decided.set(id, state);
  }

  #befall({ kind, which, forMs }: Trouble): void {
    const until = (what: () => void) => setTimeout(what, Math.min(forMs, HEAL_AT - this.clock.now));
    if (kind === "crash") {
      const name = NODES[which % NODES.length]!;
      const place = this.#places.get(name)!;
      place.process?.kill();
      place.process = undefined;
      until(() => place.process ?? this.#start(name));
    } else if (kind === "freeze") {
      const { process } = this.#places.get(NODES[which % NODES.length]!)!;
      process?.freeze();
      until(() => process?.thaw());
    } else if (kind === "outage") {
      const database = this.databases[DATABASES[which % DATABASES.length]!];
      database.isOut = true;
      until(() => database.isOut = false);
    } else {
      const service = SERVICES[which % SERVICES.length]!;
      this.#vanished.add(service);
      until(() => this.#vanished.delete(service));
    }
  }

  #start(name: NodeName): void {
    const [kind] = name.split("-") as ["gateway" | ServiceName];
    const { serve, begin } = kind === "gateway" ? this.#gatewayProcess() : this.#participantProcess(kind);
    const process = new Process(serve);
    this.#places.get(name)!.process = process;
    begin(process);
  }

  /** gateway/main.ts, as far as it is about transactions. */
  #gatewayProcess(): Program {
    let coordinator!: Coordinator;
    let keys!: IdempotencyKeys;
    const app = new Hono<Env>();
    app.onError((_, c) => c.json(null, 500));
    const begin = (self: Process) => {
      const sql = this.#gateway.for(self);
      const id = crypto.randomUUID();
      const decisions = new DecisionLog(sql, id);
      if (this.broken === "an error of the log is an abort") {
        const decide = decisions.decide.bind(decisions);
        decisions.decide = (...given) => decide(...given).catch(() => "aborted" as const);
      }
      keys = new IdempotencyKeys(
        sql,
        this.broken === "a key without a decision is free" ? hasty(decisions) : decisions,
      );
      const balancer = new Balancer(this.#directory(), { isLive: (to) => this.#isLive(self, to) });
      const participants = new Participants(balancer, this.#channels(self));
      if (this.broken === "decided before all votes") {
        const prepare = participants.prepare.bind(participants);
        participants.prepare = (...given) => {
          prepare(...given).catch(() => {});
          return Promise.resolve();
        };
      }
      coordinator = new Coordinator(participants, decisions, () => SERVICES, () => 64, this.#log());
      serveTransactions(app as App, SECRET, coordinator, decisions, {} as RequiredParticipants);
      new Lease(sql, id, this.#log()).start().catch(() => {});
      new Recovery(decisions, coordinator, keys, this.#log()).start();
    };
    const serve: Serve = {
      async inquire(transactionId) {
        const headers = { authorization: `Bearer ${SECRET}` };
        const response = await app.request(`/api/transactions/${transactionId}/inquire`, { method: "POST", headers });
        return { status: response.status, body: response.ok ? await response.json() : null };
      },
      // As gateway/own_schema.ts.
      async send({ key, refusedBy }, attempted) {
        const input = { refusedBy };
        const claim = key === undefined
          ? { transactionId: crypto.randomUUID(), isFirst: true }
          : await keys.claim("ann", `${key}`, input);
        if (claim.isFirst) attempted(claim.transactionId);
        if (claim.isFirst) await coordinator.run(OPERATION, claim.transactionId, input);
        else await coordinator.recall(claim.transactionId, [SERVICES[0]]);
        return claim.transactionId;
      },
    };
    return { serve, begin };
  }

  /** kit/participant/routes.ts. */
  #participantProcess(service: ServiceName): Program {
    let calls!: Calls;
    const prepare = (_id: string, input: unknown) => {
      if ((input as { refusedBy?: string }).refusedBy === service) throw new UserError("CONFLICT", "not so");
      return [];
    };
    const begin = (self: Process) => {
      const barrier = this.participants[service].for(self);
      const committed = (id: string) => void calls.committed(id);
      const inDoubt = new InDoubt({ barrier, gateways: this.#gateways(self), log: this.#log(), committed });
      calls = new Calls(barrier, inDoubt, { [OPERATION]: { prepare } }, this.#log());
      inDoubt.start();
    };
    return { serve: { call: (name, body) => calls.answer(name, body as Parameters<Calls["answer"]>[1]) }, begin };
  }

  #directory(): Directory {
    const instances = (service: string): Instance[] =>
      this.#vanished.has(service)
        ? []
        : NODES.filter((name) => name.startsWith(service)).map((name) => ({ id: name }) as Instance);
    return { instances } as unknown as Directory;
  }

  /** As kit/liveness.ts. */
  #isLive(from: Process, to: Instance): Promise<boolean> {
    const alive = () => Promise.resolve({ status: 200, body: null });
    return this.#network.call(from, this.#places.get(to.id as NodeName)!, alive, SECOND).then(() => true, () => false);
  }

  #channels(from: Process): Channels {
    const ask = (to: Instance, name: CallName, body: unknown, limitMs: number) =>
      this.#network.call(from, this.#places.get(to.id as NodeName)!, (at) => at.serve.call!(name, body), limitMs);
    return { ask } as Channels;
  }

  /** As kit/participant/gateways.ts. */
  #gateways(from: Process): Gateways {
    let turn = 0;
    const inquire = async (transactionId: string) => {
      const to = this.#places.get(NODES[turn++ % 2]!)!;
      const { status, body } = await this.#network.call(from, to, (at) => at.serve.inquire!(transactionId), 3 * SECOND);
      if (status !== 200) throw new Error(`the gateway answers ${status}`);
      return (body as { state: "pending" | "committed" | "aborted" }).state;
    };
    return { inquire, unfinished: () => Promise.resolve(new Set<string>()) } as unknown as Gateways;
  }

  #log(): Logger {
    const error = (text: string, { error = "" }: { error?: string } = {}) =>
      this.violations.push(text.replace("{error}", error));
    return { info() {}, warning() {}, error } as unknown as Logger;
  }

  /** A sender: without a key it asks once, with one until it knows. */
  async #ask({ key, refusedBy, ...send }: Send): Promise<void> {
    this.#waiting++;
    for (let turn = send.gateway as number;; turn++) {
      const told = await this.#askOnce(
        { ...send, key, refusedBy: key === undefined ? refusedBy : undefined },
        NODES[turn % 2]!,
      );
      if (told !== "unknown" || key === undefined) break;
      await delay(SECOND / 2);
    }
    this.#waiting--;
  }

  async #askOnce(send: Send, gateway: NodeName): Promise<Told> {
    const place = this.#places.get(gateway)!;
    const { process } = place;
    if (process === undefined) return "unknown";
    let id: string | undefined;
    const tell = (told: Told) => {
      if (id !== undefined) this.told.set(id, told);
      return told;
    };
    const attempted = (attempt: string) => {
      id = attempt;
      this.told.set(id, "unknown");
      if (send.key !== undefined) this.#keyOf.set(id, send.key);
    };
    const answer = process.serve.send!(send, attempted).then(
      (transactionId) => {
        id = transactionId;
        return "committed" as const;
      },
      (error) => {
        const isOurs = error instanceof UserError || isConnectionError(error);
        if (!isOurs) this.violations.push(`a send failed: ${error}`);
        return isUnknown(error) ? "unknown" as const : "aborted" as const;
      },
    );
    const lost = (async () => {
      while (place.process === process) await delay(SECOND / 2);
      return "unknown" as const;
    })();
    return tell(await Promise.race([process.hears(answer), lost]));
  }
}

/** What the contract's table says of the codes: these promise nothing. */
function isUnknown(error: unknown): boolean {
  return !(error instanceof UserError) || ["TIMEOUT", "SERVICE_UNAVAILABLE", "INTERNAL"].includes(error.code);
}

function hasty(decisions: DecisionLog): DecisionLog {
  return { read: async (id: string) => await decisions.read(id) ?? "aborted" } as DecisionLog;
}
