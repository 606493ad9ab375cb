/**
 * This node's lease: a row of `mail_nodes` that it renews every {@link BEAT_MS}. In: what it is doing. Out: how many connections it may
 * have, and that others which renewed nothing for {@link LEASE_MS} are dead: their jobs are unlocked and their connections free.
 *
 * A node that could not renew its own for {@link SAFE_MS} closes its connections until it can, before they are others'.
 * A node that finds its own row gone was taken for dead: what it had is others' by now, so it ends (`onLost`).
 */

import type { Sql } from "../../kit/database.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, SECOND } from "../../kit/time.ts";
import type { Slots } from "./slots.ts";

/** Both in milliseconds. A dead node's mails are taken over after 10 to 12 s. */
const BEAT_MS = 2 * SECOND;
const LEASE_MS = 10 * SECOND;
/** By this node's own clock, from when it last began a beat that succeeded; what is left of the lease is for closing connections. */
const SAFE_MS = LEASE_MS - BEAT_MS;
/** After so long without a beat, in milliseconds, it may be the database that was away. */
const PAUSE_MS = LEASE_MS / 2;

/** What the others may see of a node. */
export interface Load {
  readonly pools: readonly string[];
  readonly running: number;
  readonly sent: number;
  readonly failed: number;
}

export interface LeaseOptions {
  readonly sql: Sql;
  readonly id: string;
  readonly url: string;
  readonly slots: Slots;
  /** Connections over all nodes, and of one. */
  readonly total: number;
  readonly perNode: number;
  /** In milliseconds; {@link SAFE_MS} by default. */
  readonly safeMs?: number;
  readonly load: () => Load;
  /** Hears how many connections this node may use from now on. */
  readonly onShare: (connections: number) => void;
  readonly onLost: () => void;
  readonly log: Logger;
}

export class Lease {
  #closed: number[] = [];
  readonly #abort = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> | undefined;
  #safe: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: LeaseOptions) {}

  async start(): Promise<void> {
    const { sql, id, url, total } = this.options;
    await sql`
      insert into mail_nodes (id, url, steady_since) values (${id}, ${url}, coalesce(
        (select min(steady_since) from mail_nodes where heartbeat_at > now() - ${PAUSE_MS} * interval '1 millisecond'), now()))`;
    await sql`insert into mail_slots (slot) select generate_series(1, ${total}::int) on conflict do nothing`;
    await this.#beat();
    this.#running = this.#keepBeating();
  }

  /** Renews it now: something has changed that the others should know. */
  renew(): void {
    this.#wake.abort();
  }

  /** A connection is closed, and another node may open one. */
  released(slot: number): void {
    this.#closed.push(slot);
    this.renew();
  }

  /** Removes the row, after which nothing of this node may send. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.renew();
    await this.#running;
    clearTimeout(this.#safe);
    await this.options.sql`delete from mail_nodes where id = ${this.options.id}`;
  }

  async #keepBeating(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await delay(BEAT_MS, this.#wake.signal);
      this.#wake = new AbortController();
      if (signal.aborted) return;
      try {
        await this.#beat();
      } catch (error) {
        countDatabaseError(error);
        this.options.log.warning("this node's lease could not be renewed: {error}", { error: reason(error) });
        await delay(SECOND / 2, signal);
      }
    }
  }

  async #beat(): Promise<void> {
    const { sql, id, slots, total, perNode, load, onLost } = this.options;
    const { pools, running, sent, failed } = load();
    const released = this.#closed.splice(0);
    const began = performance.now();
    try {
      const [own] = await sql`
        with freed as (update mail_slots set node_id = null where node_id = ${id} and slot = any(${released}::int[]))
        update mail_nodes set heartbeat_at = now(), pools = ${pools as string[]}::text[], running = ${running},
          capacity = ${slots.size}, sent = ${sent}, failed = ${failed},
          steady_since = case when heartbeat_at < now() - ${PAUSE_MS} * interval '1 millisecond' then now() else steady_since end
        where id = ${id} returning steady_since < now() - ${LEASE_MS} * interval '1 millisecond' as steady`;
      if (own === undefined) return onLost();
      await this.#renewed(began);
      // Who had no database for a while knows nothing of the others, who had none either.
      if (own.steady) await this.#bury();
    } catch (error) {
      this.#closed.push(...released);
      throw error;
    }
    await this.#share(total, perNode);
  }

  async #renewed(began: number): Promise<void> {
    const { slots, log, safeMs = SAFE_MS } = this.options;
    clearTimeout(this.#safe);
    // A beat that took as long says nothing about now.
    const leftMs = Math.max(0, began + safeMs - performance.now());
    this.#safe = setTimeout(() => {
      log.warning("this node's lease was not renewed in time: its connections are closed");
      slots.pause();
    }, leftMs);
    if (leftMs > 0) await slots.resume();
  }

  /** Takes what dead nodes had from them, in one transaction. */
  async #bury(): Promise<void> {
    const { sql, log } = this.options;
    const dead = await sql.begin(async (transaction) => {
      const buried = await transaction<{ id: string; pools: string[] }[]>`
        delete from mail_nodes where heartbeat_at < now() - ${LEASE_MS} * interval '1 millisecond' returning id, pools`;
      if (buried.length === 0) return buried;
      // Also jobs of a pool that its node had no time to name here.
      await transaction`select graphile_worker.force_unlock_workers(array(
        select unnest(${buried.flatMap(({ pools }) => pools)}::text[]) union
        select locked_by from graphile_worker.jobs
        where locked_at < now() - ${LEASE_MS} * interval '1 millisecond'
          and locked_by not in (select unnest(pools) from mail_nodes)))`;
      return buried;
    });
    for (const { id } of dead) log.warning("mail node {node} is dead: its mails are taken over", { node: id });
  }

  /** All nodes drain the same queue, so each gets an equal share of the connections, up to its own limit. */
  async #share(total: number, perNode: number): Promise<void> {
    const { sql, id, slots, onShare } = this.options;
    const [nodes] = await sql<{ all: number; before: number }[]>`
      select count(*)::int as all, (count(*) filter (where id < ${id}))::int as before from mail_nodes`;
    const { all, before } = nodes!;
    const share = Math.min(perNode, Math.floor(total / all) + (before < total % all ? 1 : 0));
    if (slots.size < share) {
      const gained = await sql<{ slot: number }[]>`
        update mail_slots set node_id = ${id} where slot in (
          select slot from mail_slots where node_id is null and slot <= ${total} order by slot limit ${
        share - slots.size
      }
          for update skip locked) returning slot`;
      for (const { slot } of gained) slots.add(slot);
    }
    onShare(Math.min(share, slots.size));
    slots.giveUp(slots.size - share);
  }
}
