/**
 * Settings: environment variables prefixed NOTIFYX_, read and checked once, at start.
 * A wrong one stops the process with a line that names the variable, what it holds and what it takes.
 */

import * as v from "valibot";
import { MINUTE, SECOND } from "./time.ts";

/** EX_CONFIG of sysexits.h: the supervisor doesn't restart what exits with it. */
export const EXIT_CONFIG = 78;

const SECRET = /SECRET|PASSWORD|TOKEN|_URL/;

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

/** What every process takes. `HOST` is the address to listen on; `URL` is where others reach this process. */
export const COMMON_SETTINGS = {
  NOTIFYX_HOST: v.optional(v.pipe(v.string(), v.nonEmpty("a host name or address to listen on")), "127.0.0.1"),
  NOTIFYX_BASE_PORT: v.optional(whole(1024, 60_000), "4000"),
  NOTIFYX_PORT: v.optional(whole(1, 65_535)),
  NOTIFYX_URL: v.optional(url("http:", "https:")),
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
  /** For tests alone: kit/crash_points.ts. */
  NOTIFYX_CRASH_POINTS: v.optional(v.picklist(["0", "1"], "0 or 1"), "0"),
};

/** What a process with a database takes besides; the URL names a server, on which each service has a database of its own. */
export const DATABASE_SETTINGS = {
  NOTIFYX_DATABASE_URL: v.optional(url("postgres:", "postgresql:"), "postgres://postgres@127.0.0.1:4900"),
  NOTIFYX_DATABASE_POOL: v.optional(whole(2, 1000), "16"),
};

export type Settings = Record<string, v.GenericSchema<unknown, unknown> | v.OptionalSchema<v.GenericSchema, unknown>>;
export type CommonConfig = v.InferOutput<v.ObjectSchema<typeof COMMON_SETTINGS, undefined>>;

/** The settings of `schema` as {@link readConfig} reads them, or the lines that say what is wrong. */
export function checkConfig<T extends v.ObjectEntries>(
  schema: T,
  environment: (name: string) => string | undefined,
): { config: v.InferOutput<v.ObjectSchema<T, undefined>> } | { faults: string[] } {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema)) {
    const value = environment(name);
    if (value !== undefined && value !== "") given[name] = value;
  }
  const result = v.safeParse(v.object(schema), given);
  if (result.success) return { config: result.output };
  const faults = new Map<string, string>();
  for (const issue of result.issues) {
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

/** Reads the settings of `schema`; on a wrong one prints a line for each and exits with {@link EXIT_CONFIG}. */
export function readConfig<T extends v.ObjectEntries>(schema: T): v.InferOutput<v.ObjectSchema<T, undefined>> {
  const read = checkConfig(schema, (name) => Deno.env.get(name));
  if ("config" in read) return read.config;
  for (const fault of read.faults) console.error(fault);
  Deno.exit(EXIT_CONFIG);
}

/** How long one call from one process to another may take, in milliseconds. */
export const CALL_LIMIT_MS = 5 * SECOND;
/** How long a start may wait for its database or its peers before it gives up, in milliseconds. */
export const START_LIMIT_MS = MINUTE;
