/**
 * The kinds of processes that the system is made of, and what each may do (design, decision 12).
 * A new kind is one more entry here and one more port in kit/ports.ts.
 */

import { builtFolder } from "../client/build/places.ts";
import { CLIENT_SETTINGS } from "../client/server/settings.ts";
import { GATEWAY_SETTINGS } from "../gateway/settings.ts";
import { COMMON_SETTINGS, DATABASE_SETTINGS, type Settings } from "../kit/config.ts";
import { PORT_OFFSETS, type ServiceName } from "../kit/ports.ts";
import { AUTH_SETTINGS } from "../services/auth/settings.ts";
import { AVATAR_SETTINGS } from "../services/avatar/settings.ts";
import { INBOX_HOST, INBOX_PORT_OFFSET, MAIL_SETTINGS } from "../services/mail/settings.ts";
import { NOTIFICATIONS_SETTINGS } from "../services/notifications/settings.ts";
import { allow } from "./permissions.ts";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface NodeKind {
  readonly kind: ServiceName;
  /** The option of `deno task start` that says how many. */
  readonly option: string;
  /** Relative to the checkout. */
  readonly main: string;
  /** Kinds whose nodes it calls; "any" is every port of the hosts that take part, for what joins later. */
  readonly peers: readonly ServiceName[] | "any";
  readonly database: boolean;
  /** Settings of its own, besides those of every process. */
  readonly settings?: Settings;
  /** What it connects to or listens on besides, as `host:port`. */
  readonly net?: (place: Place) => readonly string[];
  /** Further flags of its own. */
  readonly flags?: readonly string[];
  /** Files and folders of that place that it reads. */
  readonly reads?: (place: Place) => readonly string[];
  /** The order in which kinds are stopped: who takes people's requests first. */
  readonly stopsIn: 1 | 2 | 3;
}

/** What graphql-js looks at, and postgres.js: its own settings, and who we are when the URL names no user. */
const ENVIRONMENT = ["NOTIFYX_*", "OTEL_*", "NODE_ENV"];
const DATABASE_ENVIRONMENT = ["PG*", "USERNAME", "USER", "LOGNAME"];

export const NODE_KINDS: readonly NodeKind[] = [
  {
    kind: "discovery",
    option: "discovery",
    main: "services/discovery/main.ts",
    peers: ["discovery"],
    database: false,
    stopsIn: 3,
  },
  {
    kind: "auth",
    option: "auth",
    main: "services/auth/main.ts",
    peers: ["discovery", "auth", "mail"],
    database: true,
    settings: AUTH_SETTINGS,
    flags: argon2Permissions(),
    stopsIn: 2,
  },
  {
    kind: "notifications",
    option: "notifications",
    main: "services/notifications/main.ts",
    peers: ["discovery", "auth", "gateway", "mail"],
    database: true,
    settings: NOTIFICATIONS_SETTINGS,
    stopsIn: 2,
  },
  {
    kind: "counter",
    option: "counter",
    main: "services/counter/main.ts",
    peers: ["discovery", "auth", "gateway"],
    database: true,
    stopsIn: 2,
  },
  {
    kind: "mail",
    option: "mail",
    main: "services/mail/main.ts",
    peers: ["discovery", "auth"],
    database: true,
    settings: MAIL_SETTINGS,
    flags: queuePermissions(),
    net: ({ basePort, mail }) => [
      mail.smtpUrl === undefined
        ? `${INBOX_HOST}:${basePort + INBOX_PORT_OFFSET}`
        : hostAndPort(mail.smtpUrl, mail.smtpUrl.startsWith("smtps:") ? "465" : "25"),
      ...mail.tokensUrl === undefined
        ? []
        : [hostAndPort(mail.tokensUrl, mail.tokensUrl.startsWith("https:") ? "443" : "80")],
    ],
    reads: ({ mail }) => mail.dkimKeyFile === undefined ? [] : [mail.dkimKeyFile],
    stopsIn: 2,
  },
  {
    kind: "avatar",
    option: "avatar",
    main: "services/avatar/main.ts",
    peers: ["discovery", "auth"],
    database: false,
    settings: AVATAR_SETTINGS,
    // Its threads are given none of its permissions, but Deno reads their code by the process's own.
    reads: ({ checkout }) => [join(checkout, "services/avatar")],
    stopsIn: 2,
  },
  {
    kind: "client",
    option: "client",
    main: "client/server/main.ts",
    peers: ["discovery", "gateway"],
    database: false,
    settings: CLIENT_SETTINGS,
    flags: [allow("env", ["WS_NO_*", "UNDICI_*", "JEST_WORKER_ID"])],
    reads: ({ checkout }) => [builtFolder(checkout)],
    stopsIn: 1,
  },
  {
    kind: "gateway",
    option: "gateways",
    main: "gateway/main.ts",
    peers: "any",
    database: true,
    settings: GATEWAY_SETTINGS,
    // V8 lets its young generation grow by what many sign-ups allocate, and keeps it: with 9,500 subscribed sockets 15.6 KB of
    // memory each, and with this bound (in MB) 12.8. The other flag: the old generation is collected when it has grown by so many
    // percent, not by up to four times as V8 has it; under `deno task bench gateway` 230 MiB instead of 330, and no slower.
    flags: [
      allow("env", ["WS_NO_*", "UNDICI_*", "JEST_WORKER_ID"]),
      "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=100",
    ],
    reads: ({ trustedDocuments }) => trustedDocuments === undefined ? [] : [trustedDocuments],
    stopsIn: 1,
  },
];

/** Where the nodes of one start are. */
export interface Place {
  readonly checkout: string;
  /** Where nodes may keep something: each in a folder of its own. Undefined: nowhere, unless `folder` is the one that a node has. */
  readonly data?: string;
  readonly folder?: string;
  /** The address that nodes listen on. */
  readonly host: string;
  /** The network in which each node has an address of its own, where that is so; all of a kind listen on its first port then. */
  readonly network?: string;
  readonly basePort: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly databaseUrl: string;
  /** All discovery nodes, ours and others'. */
  readonly discoveryUrls: readonly string[];
  /** The gateways' file of trusted documents, where they have one. */
  readonly trustedDocuments?: string;
  /** Files in which settings are, by the settings' names. */
  readonly settingFiles?: Readonly<Record<string, string>>;
  readonly mail: MailPlace;
  /** Where traces go: the URL of a collector; undefined where there are none. */
  readonly collectorUrl?: string;
}

/** What the mail nodes reach. */
export interface MailPlace {
  /** Undefined is the development inbox. */
  readonly smtpUrl?: string;
  /** Where OAuth2 gives access tokens; undefined where the SMTP server asks for none. */
  readonly tokensUrl?: string;
  readonly dkimKeyFile?: string;
}

/** Every setting that a node of this kind reads. */
export function settingsOf({ database, settings }: NodeKind): Settings {
  return { ...COMMON_SETTINGS, ...database ? DATABASE_SETTINGS : {}, ...settings };
}

export function portOf(place: Pick<Place, "basePort">, kind: ServiceName, index: number): number {
  return place.basePort + PORT_OFFSETS[kind] + index;
}

/**
 * The folder in which one node keeps its copy of the directory; discovery itself has none. Undefined where the path has a comma, since
 * Deno would let the node write anywhere then.
 */
export function nodeFolder(
  { kind }: NodeKind,
  port: number,
  { data, folder = data && join(data, "directory", `${kind}-${port}`) }: Pick<Place, "data" | "folder">,
): string | undefined {
  return kind === "discovery" || folder?.includes(",") ? undefined : folder;
}

/** Flags of `deno run` for one node: what its entry in {@link NODE_KINDS} needs and nothing else. */
export function nodePermissions(node: NodeKind, port: number, place: Place): string[] {
  const hosts = [...new Set([place.host, "127.0.0.1"])].map(bracketed);
  const others = place.network === undefined ? hosts : [place.network];
  const net = hosts.map((host) => `${host}:${port}`);
  for (const url of place.discoveryUrls) net.push(hostAndPort(url, "80"));
  if (node.database) net.push(hostAndPort(place.databaseUrl, "5432"));
  net.push(...node.net?.(place) ?? []);
  const { collectorUrl } = place;
  if (collectorUrl !== undefined) net.push(hostAndPort(collectorUrl, collectorUrl.startsWith("https:") ? "443" : "80"));
  if (node.peers === "any") {
    net.push(...others, ...place.discoveryUrls.map((url) => new URL(url).hostname));
  } else {
    for (const peer of node.peers) {
      for (let index = 0; index < (place.counts[peer] ?? 0); index++) {
        for (const host of others) net.push(`${host}:${portOf(place, peer, index)}`);
      }
    }
  }
  const folder = nodeFolder(node, port, place);
  const files = Object.keys(settingsOf(node)).map((name) => place.settingFiles?.[name]);
  const reads = [
    ...folder === undefined ? [] : [folder],
    ...files.filter((file) => file !== undefined),
    ...node.reads?.(place) ?? [],
  ];
  return [
    allow("net", net),
    ...reads.length === 0 ? [] : [allow("read", reads)],
    ...folder === undefined ? [] : [allow("write", [folder])],
    allow("env", node.database ? [...ENVIRONMENT, ...DATABASE_ENVIRONMENT] : ENVIRONMENT),
    ...node.flags ?? [],
  ];
}

/** Where others reach a node: an address that means "all of mine" is no place to connect to. */
export function reachable(host: string): string {
  return bracketed(host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host);
}

/**
 * The password hash is native code: its loader tells musl from glibc by reading `ldd` or, where there is none, by a report on
 * this process and its machine.
 */
function argon2Permissions(): string[] {
  const index = import.meta.resolve("@node-rs/argon2");
  // Before it is downloaded there is no path to restrict it to.
  const ffi = index.startsWith("file:")
    ? allow("ffi", [dirname(dirname(dirname(fileURLToPath(index))))])
    : "--allow-ffi";
  return [
    ffi,
    allow("env", ["NAPI_RS_*"]),
    allow("read", ["/usr/bin/ldd"]),
    allow("sys", ["cpus", "networkInterfaces", "hostname"]),
  ];
}

/**
 * graphile-worker and pg look for files and variables that may configure them, up to the root of the disk: they find none. The home
 * folder is where that search would end.
 */
function queuePermissions(): string[] {
  return ["--ignore-read", "--ignore-env", allow("sys", ["homedir"])];
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function hostAndPort(url: string, defaultPort: string): string {
  // postgres: is no "special" scheme, so a default port is not left out of it, and http:'s is.
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || defaultPort}`;
}
