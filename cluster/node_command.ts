/**
 * How one node is started by itself, in a container or under another supervisor: prints lines for a shell, which docker/node.sh runs.
 * In: its kind, as the only argument, and its settings. Out: where others reach it, and its command, with the permissions of its kind
 * (nodes.ts). What is wrong with its settings is said here already.
 */

import { GUARD_SETTINGS } from "../gateway/guards/settings.ts";
import { COMMON_SETTINGS, DATABASE_SETTINGS, EXIT_CONFIG, readConfig, settingFiles } from "../kit/config.ts";
import { MAIL_SETTINGS, mailFaults } from "../services/mail/settings.ts";
import { addressIn, NETWORK_SETTINGS } from "./network.ts";
import { NODE_KINDS, nodePermissions, type Place, portOf, reachable, settingsOf } from "./nodes.ts";
import { mailPlace } from "./settings.ts";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url)).replace(/(?<=.)\/$/, "");
/** Addresses to listen on that are nobody's. */
const ANY = ["0.0.0.0", "::"];

const kind = NODE_KINDS.find((one) => one.kind === Deno.args[0]);
if (kind === undefined || Deno.args.length > 1) {
  console.error(`a node is one of ${NODE_KINDS.map((one) => one.kind).join(", ")}`);
  Deno.exit(2);
}
const config = readConfig({
  ...settingsOf(kind),
  ...COMMON_SETTINGS,
  ...DATABASE_SETTINGS,
  ...MAIL_SETTINGS,
  ...NETWORK_SETTINGS,
  NOTIFYX_TRUSTED_DOCUMENTS: GUARD_SETTINGS.NOTIFYX_TRUSTED_DOCUMENTS,
}, mailFaults);

const { NOTIFYX_HOST: host, NOTIFYX_NETWORK: network, NOTIFYX_DIRECTORY_COPY: copy } = config;
const port = config.NOTIFYX_PORT ?? portOf({ basePort: config.NOTIFYX_BASE_PORT }, kind.kind, 0);
const place: Place = {
  checkout: CHECKOUT,
  host,
  network,
  basePort: config.NOTIFYX_BASE_PORT,
  counts: Object.fromEntries(NODE_KINDS.map((one) => [one.kind, 1])),
  databaseUrl: config.NOTIFYX_DATABASE_URL,
  discoveryUrls: config.NOTIFYX_DISCOVERY_URLS ??
    [`http://127.0.0.1:${portOf({ basePort: config.NOTIFYX_BASE_PORT }, "discovery", 0)}`],
  trustedDocuments: config.NOTIFYX_TRUSTED_DOCUMENTS,
  settingFiles: settingFiles(settingsOf(kind), (name) => Deno.env.get(name)),
  mail: mailPlace(config),
  collectorUrl: config.OTEL_EXPORTER_OTLP_ENDPOINT,
};

const url = config.NOTIFYX_URL ?? `http://${ownAddress()}:${port}`;
const folder = copy === undefined ? undefined : dirname(copy);
const command = [
  Deno.execPath(),
  "run",
  "--no-prompt",
  "--quiet",
  "--cached-only",
  ...nodePermissions(kind, port, { ...place, folder }),
  join(CHECKOUT, kind.main),
];
console.log(`export NOTIFYX_URL=${quoted(url)}`);
console.log(`exec ${command.map(quoted).join(" ")}`);

/** Where others reach this machine; ends the process with one line where it isn't in its network. */
function ownAddress(): string {
  if (network === undefined || !ANY.includes(host)) return reachable(host);
  const address = addressIn(network);
  if (address !== undefined) return address;
  console.error(`NOTIFYX_NETWORK is "${network}", in which this machine has no address`);
  Deno.exit(EXIT_CONFIG);
}

/** As one word of a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
