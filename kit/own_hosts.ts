/**
 * By which names a request from this machine may have been sent. A page of another origin, whose name was led to this machine meanwhile (DNS
 * rebinding), comes from loopback as well, by the browser of somebody here; but its `Host` is its own name.
 */

import type { CommonConfig } from "./config.ts";

/** Names besides those of loopback, as {@link URL.hostname} has them. */
export type OwnHosts = ReadonlySet<string>;

type Names = Partial<Pick<CommonConfig, "NOTIFYX_HOST" | "NOTIFYX_URL" | "NOTIFYX_PUBLIC_URL">>;

/** The names that the settings give to this process and its gateway. */
export function ownHosts({ NOTIFYX_HOST: host, NOTIFYX_URL, NOTIFYX_PUBLIC_URL }: Names): OwnHosts {
  const listening = host === undefined ? undefined : `http://${host.includes(":") ? `[${host}]` : host}`;
  const urls = [listening, NOTIFYX_URL, NOTIFYX_PUBLIC_URL].map((url) => url === undefined ? null : URL.parse(url));
  return new Set(urls.filter((url) => url !== null).map(({ hostname }) => hostname));
}

/** Whether `hostname`, as {@link URL.hostname} has it, is loopback's or one of ours. */
export function isOwnHost(hostname: string, own: OwnHosts): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname) ||
    /^\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\]$/.test(hostname) || own.has(hostname);
}
