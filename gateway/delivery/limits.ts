/** What a gateway's sockets may take of it, each a setting: by user and by address, for people; and in all, for memory. */

import type { Logger } from "../../kit/log.ts";
import { counter, startAtZero } from "../../kit/metrics.ts";
import type { SocketConfig } from "./settings.ts";

const LIMIT_KINDS = ["sockets", "sockets_per_user", "sockets_per_address", "operations", "messages", "slow"] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

const limited = counter("notifyx_delivery_limited_total");
startAtZero(limited, "kind", LIMIT_KINDS);

/** Counts what a limit refused or ended. */
export function countLimited(kind: LimitKind): void {
  limited.inc({ kind });
}

export interface SocketLimits {
  readonly sockets: number;
  readonly socketsPerUser: number;
  readonly socketsPerAddress: number;
  /** Of one socket, at once. Queries and mutations as many as may be asked for at once. */
  readonly operations: { readonly subscription: number; readonly request: number };
  /** Null where a client may send as many messages as it likes. */
  readonly messages: { readonly perSecond: number; readonly burst: number } | null;
}

export function socketLimits(config: SocketConfig, log: Logger): SocketLimits {
  const sockets = config.NOTIFYX_SOCKETS;
  if (config.NOTIFYX_LIMITS === "off") {
    log.warning("NOTIFYX_LIMITS is off: nothing is limited by user or by address");
    return {
      sockets,
      socketsPerUser: Infinity,
      socketsPerAddress: Infinity,
      operations: { subscription: Infinity, request: Infinity },
      messages: null,
    };
  }
  return {
    sockets,
    socketsPerUser: config.NOTIFYX_SOCKETS_PER_USER,
    socketsPerAddress: config.NOTIFYX_SOCKETS_PER_ADDRESS,
    operations: {
      subscription: config.NOTIFYX_SOCKET_SUBSCRIPTIONS,
      request: config.NOTIFYX_SOCKET_MESSAGES_BURST,
    },
    messages: {
      perSecond: config.NOTIFYX_SOCKET_MESSAGES_PER_SECOND,
      burst: config.NOTIFYX_SOCKET_MESSAGES_BURST,
    },
  };
}

/** How many of something each holder has, up to a limit. */
export class Holdings {
  readonly #held = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Takes one more; undefined where the holder has them all. Giving back twice gives back once. */
  take(holder: string): (() => void) | undefined {
    const held = this.#held.get(holder) ?? 0;
    if (held >= this.most) return undefined;
    this.#held.set(holder, held + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = this.#held.get(holder)! - 1;
      if (left === 0) this.#held.delete(holder);
      else this.#held.set(holder, left);
    };
  }

  /** How many holders there are. */
  get size(): number {
    return this.#held.size;
  }
}
