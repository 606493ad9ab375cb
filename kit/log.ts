/**
 * Structured logs: pretty on a terminal, one JSON object a line otherwise.
 * Request and transaction ids join every line written below `withContext`, and what looks like a secret is redacted.
 */

import { configure, getAnsiColorFormatter, getConsoleSink, getLogger, withContext } from "@logtape/logtape";
import type { Logger, LogRecord, TextFormatter } from "@logtape/logtape";
import { DEFAULT_REDACT_FIELDS, JWT_PATTERN, redactByField, redactByPattern } from "@logtape/redaction";
import { AsyncLocalStorage } from "node:async_hooks";

export { type Logger, withContext };

const SECRET_FIELDS = [...DEFAULT_REDACT_FIELDS, /authori[sz]ation/i, /identity/i, /database.?url/i, /cookie/i];
/** The password within a connection string, and a session's token wherever it appears. */
const URL_PASSWORD = { pattern: /(?<=:\/\/[^\s:/@]*:)[^\s@/]+(?=@)/g, replacement: "[REDACTED]" };
const BEARER = { pattern: /(?<=Bearer\s+)[\w.~+/-]+=*/gi, replacement: "[REDACTED]" };

export interface LogOptions {
  readonly level: "debug" | "info" | "warning" | "error";
  /** `auto` is pretty on a terminal and JSON lines elsewhere. */
  readonly format: "auto" | "pretty" | "json";
}

/** Sets logging up for this process, and returns its logger. */
export async function startLog(service: string, { level, format }: LogOptions): Promise<Logger> {
  const pretty = format === "pretty" || (format === "auto" && Deno.stdout.isTerminal());
  const formatter = redactByPattern(
    pretty ? prettyLine() : jsonLine,
    [JWT_PATTERN, URL_PASSWORD, BEARER],
  );
  await configure({
    reset: true,
    contextLocalStorage: new AsyncLocalStorage(),
    sinks: { console: redactByField(getConsoleSink({ formatter }), SECRET_FIELDS) },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
      { category: ["notifyx"], lowestLevel: level, sinks: ["console"] },
    ],
  });
  return getLogger(["notifyx", service]);
}

/** `15:04:05.123 info  message  key=value`: what the message doesn't say itself stands behind it, and the stack of an error below. */
function prettyLine(): TextFormatter {
  return getAnsiColorFormatter({
    timestamp: "time",
    level: "full",
    format({ timestamp, level, record }) {
      const { properties, rawMessage } = record;
      const rest = Object.entries(properties).filter(([name]) => !String(rawMessage).includes(`{${name}}`));
      const behind = rest.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
        .join(" ");
      const stacks = Object.values(properties).filter((value) => value instanceof Error && record.level === "error");
      return [
        `${timestamp} ${level} ${text(record)}${behind && `  \x1b[2m${behind}\x1b[0m`}`,
        ...stacks.map((error) => (error as Error).stack),
      ].join("\n");
    },
  });
}

/** One JSON object a line. */
function jsonLine(record: LogRecord): string {
  const { timestamp, level, category, properties } = record;
  const line = {
    time: new Date(timestamp).toISOString(),
    level,
    logger: category.join("."),
    message: text(record),
    ...properties,
  };
  return JSON.stringify(line, (_, value) => value instanceof Error ? value.stack ?? value.message : value) + "\n";
}

/** The message, with its values as they are. */
function text({ message }: LogRecord): string {
  return message.map((part) => typeof part === "string" ? part : part instanceof Error ? part.message : String(part))
    .join("");
}
