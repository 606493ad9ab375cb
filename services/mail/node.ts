/**
 * One node that sends mails: its lease, its connections, its part of the queue, put together; and their end in order. Out: nothing that it
 * had is lost, whether it is stopped, frozen or killed.
 */

import type { CommonConfig } from "../../kit/config.ts";
import type { Service } from "../../kit/service.ts";
import { SECOND, withTimeLimit } from "../../kit/time.ts";
import type { Emails } from "./emails.ts";
import { Lease } from "./lease.ts";
import { measureConnections } from "./metrics.ts";
import { Queue } from "./queue.ts";
import { Sender } from "./sender.ts";
import { addressOf, dkimOf, type MailConfig, oauth2Of, smtpUrlOf } from "./settings.ts";
import { Slots } from "./slots.ts";
import { Transport, type TransportOptions } from "./transport.ts";

/** What is left of NOTIFYX_STOP_SECONDS for giving back what could not be finished, in milliseconds. */
const GIVE_BACK_MS = SECOND;

export class MailNode {
  readonly id: string = crypto.randomUUID();
  readonly slots: Slots;
  readonly sender: Sender;
  readonly #queue: Queue;
  readonly #lease: Lease;
  #draining: Promise<void> | undefined;

  constructor(
    private readonly service: Service,
    private readonly config: CommonConfig & MailConfig,
    emails: Emails,
    databaseUrl: string,
  ) {
    const { log } = service;
    const { sql } = emails;
    const transport = transportOptions(config);
    const from = config.NOTIFYX_MAIL_FROM;
    const perSecond = config.NOTIFYX_MAILS_PER_SECOND;
    // There are never more connections than this over all nodes, so that each takes its part of the rate.
    const pauseMs = perSecond === 0 ? 0 : config.NOTIFYX_MAIL_CONNECTIONS * SECOND / perSecond;
    this.slots = new Slots(() => new Transport(transport), pauseMs, (slot) => this.#lease.released(slot));
    this.sender = new Sender({
      emails,
      slots: this.slots,
      nodeId: this.id,
      from,
      domain: transport.name,
      limitMs: (template) =>
        (config.NOTIFYX_MAIL_SECONDS.byKind.get(template) ?? config.NOTIFYX_MAIL_SECONDS.all) * SECOND,
      retry: {
        firstMs: config.NOTIFYX_MAIL_RETRY_SECONDS * SECOND,
        mostMs: config.NOTIFYX_MAIL_RETRY_MOST_SECONDS * SECOND,
        giveUpMs: config.NOTIFYX_MAIL_GIVE_UP_SECONDS * SECOND,
      },
      log,
    });
    this.#queue = new Queue({
      sql,
      url: databaseUrl,
      run: (id) => this.sender.run(id),
      onPools: () => this.#lease.renew(),
      log,
    });
    this.#lease = new Lease({
      sql,
      id: this.id,
      url: service.url,
      slots: this.slots,
      total: config.NOTIFYX_MAIL_CONNECTIONS,
      perNode: config.NOTIFYX_MAIL_CONNECTIONS_PER_NODE,
      load: () => ({
        pools: [...this.#queue.pools],
        running: this.slots.busy,
        sent: this.sender.sent,
        failed: this.sender.failed,
      }),
      onShare: (connections) => void (this.#draining === undefined && this.#queue.resize(connections)),
      onLost: () => {
        // It was frozen, or without its database, for so long that others do its work. What it believes is void: it begins anew.
        log.error("this mail node was taken for dead: it ends");
        Deno.exit(1);
      },
      log,
    });
    measureConnections(() => this.slots.busy, () => this.slots.size);
  }

  /** Takes its lease, and begins to send. */
  async start(): Promise<void> {
    const { service, config } = this;
    const stopMs = config.NOTIFYX_STOP_SECONDS * SECOND;
    await this.#queue.migrate();
    await this.#lease.start();
    // As soon as it is told to stop: who asks it something meanwhile is answered all the same.
    service.leaving.addEventListener("abort", () => void this.#drained(stopMs), { once: true });
    service.onStop("what is being sent", () => this.#drained(stopMs), stopMs + GIVE_BACK_MS);
  }

  #drained(stopMs: number): Promise<void> {
    return this.#draining ??= this.#drain(stopMs);
  }

  /** Takes no more, gives back what it has not begun, finishes what is at the SMTP server, and leaves. */
  async #drain(stopMs: number): Promise<void> {
    this.slots.stop();
    const stopped = this.#queue.stop();
    try {
      await withTimeLimit("what is at the SMTP server", Math.max(0, stopMs - GIVE_BACK_MS), stopped);
    } catch {
      this.sender.cut();
      await withTimeLimit("what is given back", GIVE_BACK_MS, stopped).catch(() => {});
    }
    await this.slots.close();
    await this.#lease.stop();
    await this.#queue.close();
  }
}

function transportOptions(config: CommonConfig & MailConfig): TransportOptions {
  return {
    url: new URL(smtpUrlOf(config.NOTIFYX_SMTP_URL, config.NOTIFYX_BASE_PORT)),
    name: addressOf(config.NOTIFYX_MAIL_FROM).split("@").at(-1)!,
    oauth2: oauth2Of(config),
    dkim: dkimOf(config),
  };
}
