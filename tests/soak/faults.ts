/** What befalls the system: every now and then a process dies, freezes for a while, or stops politely; the supervisor does the rest. */

import { delay, SECOND } from "../../kit/time.ts";
import type { ClusterNode } from "../../cluster/cluster.ts";
import type { System } from "../helpers/system.ts";
import type { Random } from "./random.ts";

export interface FaultOptions {
  readonly everyMs: number;
  /** The longest that a process is frozen. */
  readonly freezeMs: number;
  /** How often it is PostgreSQL that dies, of 1. */
  readonly postgresShare: number;
}

const LEAST_FREEZE_MS = SECOND;

export class Faults {
  /** How often it was what. */
  readonly counts: Record<string, number> = {};
  readonly #frozen = new Map<ClusterNode, () => void>();
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    private readonly system: System,
    private readonly random: Random,
    private readonly options: FaultOptions,
  ) {
    this.#running = this.#run();
  }

  /** No more of it; what is frozen goes on. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    for (const thaw of [...this.#frozen.values()]) thaw();
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await delay(this.options.everyMs, this.#abort.signal);
      if (!this.#abort.signal.aborted) this.#strike();
    }
  }

  #strike(): void {
    const { random, system } = this;
    if (random.next() < this.options.postgresShare && system.postgres.process.state === "ready") {
      system.killPostgres();
      this.#count("PostgreSQL killed");
      return;
    }
    const running = system.cluster.nodes.filter((node) => node.process.state === "ready" && !this.#frozen.has(node));
    if (running.length === 0) return;
    const node = random.pick(running);
    const how = random.pick(["killed", "frozen", "stopped"] as const);
    this.#count(`${node.kind.kind} ${how}`);
    if (how === "frozen") this.#freeze(node);
    else Deno.kill(node.process.pid!, how === "killed" ? "SIGKILL" : "SIGTERM");
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #freeze(node: ClusterNode): void {
    const pid = node.process.pid!;
    Deno.kill(pid, "SIGSTOP");
    const timer = setTimeout(() => thaw(), this.random.between(LEAST_FREEZE_MS, this.options.freezeMs));
    const thaw = () => {
      clearTimeout(timer);
      this.#frozen.delete(node);
      Deno.kill(pid, "SIGCONT");
    };
    this.#frozen.set(node, thaw);
  }
}
