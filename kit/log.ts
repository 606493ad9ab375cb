/**
 * Structured logs: pretty on a terminal, one JSON object a line otherwise.
 * Request and transaction ids join every line written below `withContext`, and what looks like a secret is redacted.
 */

import { configure, getConsoleSink, getLogger, type Logger, type LogRecord, withContext } from "@logtape/logtape";
import { getPrettyFormatter } from "@logtape/pretty";
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
    pretty ? getPrettyFormatter({ timestamp: "time", properties: true, wordWrap: false }) : jsonLine,
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

/** One JSON object a line; values stand in the message as they are. */
function jsonLine({ timestamp, level, category, message, properties }: LogRecord): string {
  const line = {
    time: new Date(timestamp).toISOString(),
    level,
    logger: category.join("."),
    message: message.map((part) =>
      typeof part === "string" ? part : part instanceof Error ? part.message : String(part)
    ).join(""),
    ...properties,
  };
  return JSON.stringify(line, (_, value) => value instanceof Error ? value.stack ?? value.message : value) + "\n";
}
