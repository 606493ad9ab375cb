/** Asks auth for users' addresses: of whom mail goes to and is from, and whose initials are drawn. */

import * as v from "valibot";
import { callFor } from "./call.ts";
import { CALL_LIMIT_MS } from "./config.ts";
import type { Directory } from "./directory.ts";
import { UserError } from "./errors.ts";
import { PAGE_LIMIT } from "./paging.ts";

/** Auth says of no one that their address isn't confirmed unless it asks for that. */
const USERS = v.array(v.nullable(v.object({
  id: v.string(),
  email: v.string(),
  confirmed: v.optional(v.boolean(), true),
})));

export interface Address {
  readonly email: string;
  /** Whether mail may be sent there. */
  readonly confirmed: boolean;
}

export interface AddressesOptions {
  /** How many of auth's nodes are asked at most; all by default. */
  readonly attempts?: number;
  /** How long each may take, in milliseconds. */
  readonly limitMs?: number;
}

export class Addresses {
  constructor(
    private readonly directory: Pick<Directory, "instances">,
    private readonly secret: string,
    private readonly options: AddressesOptions = {},
  ) {}

  /** Those of the users `ids`; unknown ones are left out. @throws UserError `SERVICE_UNAVAILABLE`, `TIMEOUT` while auth is away */
  async of(ids: Iterable<string>): Promise<Map<string, Address>> {
    const wanted = [...new Set(ids)];
    const found = new Map<string, Address>();
    for (let from = 0; from < wanted.length; from += PAGE_LIMIT) {
      const users = v.parse(USERS, await this.#ask({ ids: wanted.slice(from, from + PAGE_LIMIT) }));
      for (const user of users) if (user !== null) found.set(user.id, user);
    }
    return found;
  }

  async #ask(body: unknown): Promise<unknown> {
    const { attempts, limitMs = CALL_LIMIT_MS } = this.options;
    const all = this.directory.instances("auth");
    const first = Math.floor(Math.random() * all.length);
    let last: unknown = new UserError("SERVICE_UNAVAILABLE", "auth is away just now");
    for (const { url } of [...all.slice(first), ...all.slice(0, first)].slice(0, attempts)) {
      try {
        return await callFor(`${url}/api/users`, { body, secret: this.secret, limitMs });
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }
}
