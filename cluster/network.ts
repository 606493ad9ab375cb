/** A network in which nodes reach each other by their addresses, where they aren't all on one machine: `172.30.40.0/24`. */

import { BlockList, isIPv4 } from "node:net";
import * as v from "valibot";

export const NETWORK_SETTINGS = {
  /** IPv4, since Deno's permissions know no networks of IPv6. */
  NOTIFYX_NETWORK: v.optional(v.pipe(v.string(), v.check(isNetwork, "a network of IPv4 such as 172.30.40.0/24"))),
};

/** Whether `address` is one of `network`. */
export function isIn(network: string, address: string): boolean {
  const [base, bits] = network.split("/");
  const list = new BlockList();
  list.addSubnet(base!, Number(bits), "ipv4");
  return isIPv4(address) && list.check(address, "ipv4");
}

/** This machine's address in `network`; undefined where it has none. */
export function addressIn(network: string): string | undefined {
  return Deno.networkInterfaces().map(({ address }) => address).find((address) => isIn(network, address));
}

function isNetwork(text: string): boolean {
  const [base, bits, ...rest] = text.split("/");
  return isIPv4(base ?? "") && /^\d{1,2}$/.test(bits ?? "") && Number(bits) <= 32 && rest.length === 0;
}
