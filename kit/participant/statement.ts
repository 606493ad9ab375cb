/**
 * SQL text with its values in it, for what goes to the database in one message of several statements: PostgreSQL's extended protocol,
 * which keeps values apart, has no such message. Values are quoted as libpq's PQescapeLiteral does; kit/database.ts sets
 * standard_conforming_strings and client_encoding, on which that rests.
 */

import { UserError } from "../errors.ts";

export type Value = string | number | boolean | null | readonly string[];

/** `` statement`select f(${text}, ${ids}::uuid[])` `` @throws UserError `BAD_USER_INPUT` for a text that PostgreSQL can't hold */
export function statement(parts: TemplateStringsArray, ...values: readonly Value[]): string {
  return parts.reduce((sql, part, at) => sql + literal(values[at - 1]!) + part);
}

function literal(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} is no number for PostgreSQL`);
    return value < 0 ? `(${value})` : String(value);
  }
  if (typeof value === "string") return quoted(value);
  return `array[${value.map(quoted).join(",")}]`;
}

function quoted(text: string): string {
  if (text.includes("\0")) throw new UserError("BAD_USER_INPUT", "a text must not hold NUL characters");
  const doubled = text.replaceAll("'", "''");
  // Without a backslash there is nothing that E'' would read otherwise; with one, E'' is safe whatever the settings.
  return doubled.includes("\\") ? ` E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}
