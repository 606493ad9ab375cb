/**
 * Settings: environment variables prefixed NOTIFYX_, and some of OpenTelemetry's, read and checked once, at start.
 * A wrong one stops the process with a line that names the variable, what it holds and what it takes.
 *
 * One whose value is never shown may be in a file instead: NAME_FILE is its path then, so that a secret stands in no list of processes
 * and in no description of a container. Where both are given, NAME counts.
 */

import * as v from "valibot";
import { PORT_OFFSETS } from "./ports.ts";
import { MINUTE, SECOND } from "./time.ts";
import { TRACING_SETTINGS } from "./tracing/settings.ts";

/** EX_CONFIG of sysexits.h: the supervisor doesn't restart what exits with it. */
export const EXIT_CONFIG = 78;

const SECRET = /SECRET|PASSWORD|TOKEN|HEADERS|_URL|_ENDPOINT/;
/** The largest file with a value, in bytes. */
const FILE_LIMIT_BYTES = 64 * 1024;

type Environment = (name: string) => string | undefined;

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number) {
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, `a whole number from ${least} to ${most}`),
    v.transform(Number),
    v.minValue(least, `a whole number from ${least} to ${most}`),
    v.maxValue(most, `a whole number from ${least} to ${most}`),
  );
}

/** A URL with one of `protocols` ("http:"). */
export function url(...protocols: string[]) {
  const takes = `a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`;
  return v.pipe(v.string(), v.check((text) => protocols.includes(URL.parse(text)?.protocol ?? ""), takes));
}

const httpUrls = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((part) => part.trim().replace(/\/+$/, "")).filter((part) => part !== "")),
  v.check(
    (urls) => urls.length > 0 && urls.every((one) => /^https?:$/.test(URL.parse(one)?.protocol ?? "")),
    "one or more http:// or https:// URLs, separated by commas",
  ),
);

const publicAddress = v.pipe(
  url("http:", "https:"),
  v.check((text) => !/[?#]/.test(text), "the URL at which people reach the gateway, without a query"),
);

/** So that the client, whose port is below the base, needs no rights for it. */
const LEAST_BASE_PORT = 1024 - PORT_OFFSETS.client;

/** What every process takes. `HOST` is the address to listen on; `URL` is where others reach this process, `PUBLIC_URL` where people reach the gateway. */
export const COMMON_SETTINGS = {
  NOTIFYX_HOST: v.optional(v.pipe(v.string(), v.nonEmpty("a host name or address to listen on")), "127.0.0.1"),
  NOTIFYX_BASE_PORT: v.optional(whole(LEAST_BASE_PORT, 60_000), "4000"),
  NOTIFYX_PORT: v.optional(whole(1, 65_535)),
  NOTIFYX_URL: v.optional(url("http:", "https:")),
  NOTIFYX_PUBLIC_URL: v.optional(publicAddress),
  NOTIFYX_DISCOVERY_URLS: v.optional(httpUrls),
  NOTIFYX_CLUSTER_SECRET: v.pipe(v.string("at least 32 characters"), v.minLength(32, "at least 32 characters")),
  /** A file in a folder of this process's own, in which it keeps a copy of the directory. */
  NOTIFYX_DIRECTORY_COPY: v.optional(v.pipe(v.string(), v.nonEmpty("a path"))),
  NOTIFYX_STOP_SECONDS: v.optional(whole(0, 3600), "10"),
  NOTIFYX_STOP_ON_STDIN_END: v.optional(v.picklist(["0", "1"], "0 or 1"), "0"),
  NOTIFYX_LOG_LEVEL: v.optional(
    v.picklist(["debug", "info", "warning", "error"], "debug, info, warning or error"),
    "info",
  ),
  NOTIFYX_LOG_FORMAT: v.optional(v.picklist(["auto", "pretty", "json"], "auto, pretty or json"), "auto"),
  ...TRACING_SETTINGS,
  /** For tests alone: kit/crash_points.ts. */
  NOTIFYX_CRASH_POINTS: v.optional(v.picklist(["0", "1"], "0 or 1"), "0"),
};

/** What a process with a database takes besides; the URL names a server, on which each service has a database of its own. */
export const DATABASE_SETTINGS = {
  NOTIFYX_DATABASE_URL: v.optional(url("postgres:", "postgresql:"), "postgres://postgres@127.0.0.1:4900"),
  NOTIFYX_DATABASE_POOL: v.optional(whole(2, 1000), "16"),
};

/** Off for benchmarks and load tests: what is limited by user and by address isn't then; what bounds memory stays. It means the same to each service that has such limits. */
export const LIMITS_SETTING = {
  NOTIFYX_LIMITS: v.optional(v.picklist(["on", "off"], "on or off"), "on"),
};

export type Settings = Record<string, v.GenericSchema<unknown, unknown> | v.OptionalSchema<v.GenericSchema, unknown>>;
export type CommonConfig = v.InferOutput<v.ObjectSchema<typeof COMMON_SETTINGS, undefined>>;

/** The settings of `schema` as {@link readConfig} reads them, or the lines that say what is wrong. */
export function checkConfig<T extends v.ObjectEntries>(
  schema: T,
  environment: Environment,
): { config: v.InferOutput<v.ObjectSchema<T, undefined>> } | { faults: string[] } {
  const given: Record<string, string> = {};
  const faults = new Map<string, string>();
  const files = settingFiles(schema, environment);
  for (const name of Object.keys(schema)) {
    try {
      const value = environment(name) || (files[name] && readValue(files[name]));
      if (value) given[name] = value;
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      faults.set(name, `${name}_FILE is ${JSON.stringify(files[name])}, which can't be used: ${reason}`);
    }
  }
  const result = v.safeParse(v.object(schema), given);
  if (result.success && faults.size === 0) return { config: result.output };
  for (const issue of result.issues ?? []) {
    const name = String(issue.path?.[0]?.key ?? "");
    if (faults.has(name)) continue;
    const held = given[name];
    const shown = held === undefined
      ? "is not set"
      : SECRET.test(name)
      ? "holds a value that is not shown here"
      : `is ${JSON.stringify(held)}`;
    const takes = issue.message.startsWith("Invalid key") ? "a value" : issue.message;
    faults.set(name, `${name} ${shown}; it takes ${takes}`);
  }
  return { faults: [...faults.values()] };
}

/** The files in which settings of `schema` are, by the settings' names. */
export function settingFiles(
  schema: Readonly<Record<string, unknown>>,
  environment: Environment,
): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of Object.keys(schema)) {
    const file = SECRET.test(name) && !environment(name) ? environment(`${name}_FILE`) : undefined;
    if (file) files[name] = file;
  }
  return files;
}

/** @throws Error that says why there is no value in it */
function readValue(file: string): string {
  if (Deno.statSync(file).size > FILE_LIMIT_BYTES) throw new Error(`it is over ${FILE_LIMIT_BYTES} bytes`);
  const value = Deno.readTextFileSync(file).trim();
  if (value === "") throw new Error("it is empty");
  return value;
}

/**
 * Reads the settings of `schema`; on a wrong one prints a line for each and exits with {@link EXIT_CONFIG}.
 * @param together says in lines what is wrong with settings each of which is right by itself
 */
export function readConfig<T extends v.ObjectEntries>(
  schema: T,
  together: (config: v.InferOutput<v.ObjectSchema<T, undefined>>) => string[] = () => [],
): v.InferOutput<v.ObjectSchema<T, undefined>> {
  const read = checkConfig(schema, (name) => Deno.env.get(name));
  const faults = "config" in read ? together(read.config) : read.faults;
  if ("config" in read && faults.length === 0) return read.config;
  for (const fault of faults) console.error(fault);
  Deno.exit(EXIT_CONFIG);
}

/** Where people reach the gateway, for links in what they get; without a slash at the end. */
export function publicUrl(config: Pick<CommonConfig, "NOTIFYX_PUBLIC_URL" | "NOTIFYX_BASE_PORT">): string {
  return config.NOTIFYX_PUBLIC_URL?.replace(/\/+$/, "") ?? `http://127.0.0.1:${config.NOTIFYX_BASE_PORT}`;
}

/** How long one call from one process to another may take, in milliseconds. */
export const CALL_LIMIT_MS = 5 * SECOND;
/** How long a start may wait for its database or its peers before it gives up, in milliseconds. */
export const START_LIMIT_MS = MINUTE;
