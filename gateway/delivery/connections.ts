/**
 * What WebSockets and event streams share of a gateway: so many of them in all, from one address and of one user, and so many bytes that
 * wait for those which read too slowly.
 */

import { UserError } from "../../kit/errors.ts";
import type { Logger } from "../../kit/log.ts";
import { countLimited, Holdings, type LimitKind, type SocketLimits, socketLimits } from "./limits.ts";
import { Outboxes } from "./outbox.ts";
import type { SocketConfig } from "./settings.ts";

/** When a client that met a limit may try again, in seconds. */
const RETRY_AFTER_SECONDS = 5;

export class Connections {
  readonly limits: SocketLimits;
  readonly outboxes: Outboxes;
  readonly #addresses: Holdings;
  readonly #users: Holdings;
  #open = 0;

  constructor(config: SocketConfig, log: Logger) {
    this.limits = socketLimits(config, log);
    this.outboxes = new Outboxes({
      socketBytes: config.NOTIFYX_SOCKET_BUFFER_BYTES,
      totalBytes: config.NOTIFYX_SOCKET_BUFFERS_TOTAL_BYTES,
    });
    this.#addresses = new Holdings(this.limits.socketsPerAddress);
    this.#users = new Holdings(this.limits.socketsPerUser);
  }

  /** One more from `address`, until what comes back is called, once or more often. @throws UserError `TOO_MANY_REQUESTS`, `RATE_LIMITED` */
  take(address: string): () => void {
    if (this.#open >= this.limits.sockets) {
      throw refused("sockets", "TOO_MANY_REQUESTS", "this gateway has as many connections as it takes");
    }
    const leave = this.#addresses.take(address);
    if (leave === undefined) {
      throw refused("sockets_per_address", "RATE_LIMITED", "too many connections from this address");
    }
    this.#open++;
    let isOpen = true;
    return () => {
      if (isOpen) this.#open--;
      isOpen = false;
      leave();
    };
  }

  /** As {@link take}, among those of the user; anonymous callers (null) are limited by their address alone. @throws UserError `RATE_LIMITED` */
  takeOfUser(userId: string | null): () => void {
    if (userId === null) return () => {};
    const leave = this.#users.take(userId);
    if (leave === undefined) throw refused("sockets_per_user", "RATE_LIMITED", "too many connections of this user");
    return leave;
  }

  /** An event stream, whose user is known from the first. @throws UserError `TOO_MANY_REQUESTS`, `RATE_LIMITED` */
  takeBoth(address: string, userId: string | null): () => void {
    const leaveAddress = this.take(address);
    try {
      const leaveUser = this.takeOfUser(userId);
      return () => (leaveAddress(), leaveUser());
    } catch (error) {
      leaveAddress();
      throw error;
    }
  }
}

function refused(kind: LimitKind, code: "TOO_MANY_REQUESTS" | "RATE_LIMITED", message: string): UserError {
  countLimited(kind);
  return new UserError(code, message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}
