/**
 * The settings of a start: those that `deno task start` itself looks at, and those of every process that it will start, so that a wrong
 * one is told before anything runs.
 */

import { GUARD_SETTINGS } from "../gateway/guards/settings.ts";
import { COMMON_SETTINGS, DATABASE_SETTINGS, readConfig, settingFiles, type Settings, url } from "../kit/config.ts";
import { MAIL_SETTINGS, mailFaults } from "../services/mail/settings.ts";
import { type MailPlace, NODE_KINDS, settingsOf } from "./nodes.ts";
import * as v from "valibot";

export interface StartSettings {
  readonly host: string;
  readonly basePort: number;
  /** Undefined is the embedded one. */
  readonly databaseUrl: string | undefined;
  readonly discoveryUrls: readonly string[];
  /** Undefined is one that is made and kept. */
  readonly clusterSecret: string | undefined;
  readonly stopSeconds: number;
  /** Undefined: they were not given. */
  readonly logFormat: string | undefined;
  /** Undefined: gateways take any document. */
  readonly trustedDocuments: string | undefined;
  /** Files that the processes read for themselves, by the settings that are in them. */
  readonly settingFiles: Readonly<Record<string, string>>;
  readonly mail: MailPlace;
  /** Undefined: nothing is traced. */
  readonly collectorUrl: string | undefined;
}

/** On a terminal somebody waits for the prompt. */
const STOP_SECONDS_ON_TERMINAL = "3";

/** What each process gets from the start, whatever was given to the start itself. */
const GIVEN_BY_US = ["NOTIFYX_PORT", "NOTIFYX_DIRECTORY_COPY", "NOTIFYX_STOP_ON_STDIN_END"];

/** What they get from us as well, in whatever way it was given to the start: a file with it is ours alone to read. */
const GIVEN_ON = ["NOTIFYX_CLUSTER_SECRET", "NOTIFYX_DATABASE_URL", "NOTIFYX_DISCOVERY_URLS"];

/** Every setting that the processes of a start read from our own environment. */
export function settingsOfNodes(counts: Readonly<Record<string, number>>): Settings {
  const kinds = NODE_KINDS.filter(({ kind }) => (counts[kind] ?? 0) > 0);
  const all: Settings = Object.assign({ ...COMMON_SETTINGS, ...DATABASE_SETTINGS }, ...kinds.map(settingsOf));
  for (const name of GIVEN_BY_US) delete all[name];
  return all;
}

/** Reads and checks the settings; a wrong one ends the process with a line that names it. */
export function readSettings(counts: Readonly<Record<string, number>>, onTerminal: boolean): StartSettings {
  const config = readConfig({
    ...settingsOfNodes(counts),
    NOTIFYX_HOST: COMMON_SETTINGS.NOTIFYX_HOST,
    NOTIFYX_BASE_PORT: COMMON_SETTINGS.NOTIFYX_BASE_PORT,
    NOTIFYX_DATABASE_URL: v.optional(url("postgres:", "postgresql:")),
    NOTIFYX_DISCOVERY_URLS: COMMON_SETTINGS.NOTIFYX_DISCOVERY_URLS,
    NOTIFYX_CLUSTER_SECRET: v.optional(COMMON_SETTINGS.NOTIFYX_CLUSTER_SECRET),
    NOTIFYX_STOP_SECONDS: onTerminal
      ? v.optional(COMMON_SETTINGS.NOTIFYX_STOP_SECONDS.wrapped, STOP_SECONDS_ON_TERMINAL)
      : COMMON_SETTINGS.NOTIFYX_STOP_SECONDS,
    NOTIFYX_LOG_FORMAT: v.optional(COMMON_SETTINGS.NOTIFYX_LOG_FORMAT.wrapped),
    NOTIFYX_TRUSTED_DOCUMENTS: GUARD_SETTINGS.NOTIFYX_TRUSTED_DOCUMENTS,
    OTEL_EXPORTER_OTLP_ENDPOINT: COMMON_SETTINGS.OTEL_EXPORTER_OTLP_ENDPOINT,
    ...MAIL_SETTINGS,
  }, mailFaults);
  return {
    host: config.NOTIFYX_HOST,
    basePort: config.NOTIFYX_BASE_PORT,
    databaseUrl: config.NOTIFYX_DATABASE_URL,
    discoveryUrls: config.NOTIFYX_DISCOVERY_URLS ?? [],
    clusterSecret: config.NOTIFYX_CLUSTER_SECRET,
    stopSeconds: config.NOTIFYX_STOP_SECONDS,
    logFormat: config.NOTIFYX_LOG_FORMAT,
    trustedDocuments: config.NOTIFYX_TRUSTED_DOCUMENTS,
    settingFiles: filesOfNodes(counts),
    mail: mailPlace(config),
    collectorUrl: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
}

function filesOfNodes(counts: Readonly<Record<string, number>>): Record<string, string> {
  const files = settingFiles(settingsOfNodes(counts), (name) => Deno.env.get(name));
  for (const name of GIVEN_ON) delete files[name];
  return files;
}

/** What mail nodes with these settings reach. */
export function mailPlace(config: {
  readonly NOTIFYX_SMTP_URL?: string;
  readonly NOTIFYX_SMTP_OAUTH2_USER?: string;
  readonly NOTIFYX_SMTP_OAUTH2_TOKENS_URL?: string;
  readonly NOTIFYX_DKIM_KEY_FILE?: string;
}): MailPlace {
  return {
    smtpUrl: config.NOTIFYX_SMTP_URL,
    tokensUrl: config.NOTIFYX_SMTP_OAUTH2_USER === undefined
      ? undefined
      : config.NOTIFYX_SMTP_OAUTH2_TOKENS_URL ?? MAIL_SETTINGS.NOTIFYX_SMTP_OAUTH2_TOKENS_URL.default,
    dkimKeyFile: config.NOTIFYX_DKIM_KEY_FILE,
  };
}
