/** What people are told when something goes wrong: by its code where we know better words, else in the server's own. */

import { t, type TextKey } from "../strings/strings.ts";

export class AppError extends Error {
  override readonly name = "AppError";
  constructor(readonly code: string, message: string) {
    super(message);
  }
}

/** Codes of what passes by itself. */
export const PASSING: ReadonlySet<string> = new Set([
  "UNREACHABLE",
  "SERVICE_UNAVAILABLE",
  "TIMEOUT",
  "TOO_MANY_REQUESTS",
]);

const TEXTS: Readonly<Record<string, TextKey>> = {
  UNREACHABLE: "error.unreachable",
  SERVICE_UNAVAILABLE: "error.unavailable",
  TIMEOUT: "error.unavailable",
  TOO_MANY_REQUESTS: "error.busy",
  RATE_LIMITED: "error.rate",
  INTERNAL: "error.internal",
};

export function errorText(error: unknown): string {
  const { code, message } = (error ?? {}) as Partial<AppError>;
  const key = TEXTS[code ?? "INTERNAL"];
  return key === undefined ? sentence(message ?? "") : t(key);
}

export function codeOf(error: unknown): string | undefined {
  return (error as Partial<AppError> | undefined)?.code;
}

/** The server says "wrong e-mail address or password"; beside a field it is a sentence. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
