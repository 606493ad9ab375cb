/** How much there is to do, and who does it: for metrics, the status page and `mailNodes`. */

import type { Sql } from "../../kit/database.ts";

/** So far failed ones are counted. */
const COUNTED = 10_000;
/** A few that their servers put off are always there. */
const MANY = 20;

export interface QueueDepth {
  readonly waiting: number;
  readonly sending: number;
  /** Of those that are not sent yet. */
  readonly oldestSeconds: number;
  /** How long more than {@link MANY} of them have been waiting; 0 where there are fewer. */
  readonly manySeconds: number;
}

export interface MailNodeState {
  readonly id: string;
  readonly url: string;
  readonly startedAt: Date;
  readonly lastHeartbeatAt: Date;
  readonly running: number;
  readonly capacity: number;
  readonly sent: number;
  readonly failed: number;
}

export interface FailedEmail {
  readonly id: string;
  readonly to: string;
  readonly template: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly endedAt: Date;
}

export class MailOverview {
  constructor(private readonly sql: Sql) {}

  async depth(): Promise<QueueDepth> {
    const [row] = await this.sql<QueueDepth[]>`
      select (count(*) filter (where status = 'QUEUED'))::int as waiting, (count(*) filter (where status = 'SENDING'))::int as sending,
        coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as "oldestSeconds",
        coalesce((
          select extract(epoch from now() - created_at) from emails
          where status in ('QUEUED', 'SENDING') order by created_at offset ${MANY} limit 1
        ), 0)::float8 as "manySeconds"
      from emails where status in ('QUEUED', 'SENDING')`;
    return row!;
  }

  /** In the order in which they began; a dead one for some seconds more. */
  async nodes(): Promise<MailNodeState[]> {
    return await this.sql<MailNodeState[]>`
      select id, url, started_at as "startedAt", heartbeat_at as "lastHeartbeatAt", running, capacity, sent, failed
      from mail_nodes order by started_at, id`;
  }

  /** How many have failed and nobody has sent again; counted up to {@link COUNTED}. */
  async failedCount(): Promise<number> {
    const [row] = await this.sql<{ count: number }[]>`
      select count(*)::int from (select from emails where status = 'FAILED' limit ${COUNTED}) as failed`;
    return row!.count;
  }

  /** Those that failed last. */
  async failed(limit: number): Promise<FailedEmail[]> {
    return await this.sql<FailedEmail[]>`
      select id, to_address as "to", template, attempts, error, ended_at as "endedAt"
      from emails where status = 'FAILED' order by ended_at desc limit ${limit}`;
  }
}
