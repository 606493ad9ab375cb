/** Which services an operation can't do without: those that it always needs, and those that discovery names for it. */

import type { Directory } from "../../kit/directory.ts";

const ALWAYS: Readonly<Record<string, readonly string[]>> = { sendNotification: ["notifications", "counter"] };

export function requiredParticipants(directory: Directory, operation: string): string[] {
  const named = directory.all().filter((instance) => instance.participates.includes(operation)).map((instance) =>
    instance.service
  );
  return [...new Set([...ALWAYS[operation] ?? [], ...named])];
}
