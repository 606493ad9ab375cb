/** Whose request it is, as limits by address count it. In: a request of node:http. Out: an address, or for IPv6 its network. */

import type { IncomingMessage } from "node:http";
import { sameSecret } from "../../kit/secret.ts";

/** Whose `x-forwarded-for` is believed. */
export interface Proxies {
  readonly addresses: ReadonlySet<string>;
  /** Who gives it in {@link MEMBER_HEADER} is a member of the cluster, such as the client's server, whatever its address. */
  readonly secret?: string;
}

const MEMBER_HEADER = "x-notifyx-member";

/** The part of a request that is looked at. */
type Asking = {
  readonly socket: Pick<IncomingMessage["socket"], "remoteAddress">;
  readonly headers: IncomingMessage["headers"];
};

/**
 * The client's address, as the last proxy that isn't ours saw it. `x-forwarded-for` is believed of `proxies` alone: anyone else could
 * have a new address for each request by it.
 */
export function addressOf({ socket, headers }: Asking, { addresses, secret }: Proxies): string {
  let address = plain(socket.remoteAddress ?? "");
  const given = headers[MEMBER_HEADER];
  const isMember = typeof given === "string" && secret !== undefined && sameSecret(given, secret);
  if (!isMember && !addresses.has(address)) return network(address);
  const forwarded = String(headers["x-forwarded-for"] ?? "").split(",");
  if (isMember) address = plain(forwarded.pop()!.trim()) || address;
  while (addresses.has(address) && forwarded.length > 0) address = plain(forwarded.pop()!.trim()) || address;
  return network(address);
}

/** An IPv4 address that came over an IPv6 socket is one. */
function plain(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/** Of IPv6 the /64 network, of which one customer has all addresses. */
function network(address: string): string {
  if (!address.includes(":")) return address;
  const [head, tail = ""] = address.split("::");
  const groups = head!.split(":");
  const missing = address.includes("::") ? 8 - groups.length - tail.split(":").length : 0;
  return [...groups, ...Array(Math.max(0, missing)).fill("0"), ...tail.split(":")].slice(0, 4).join(":");
}
