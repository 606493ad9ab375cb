/** Secrets that are made at the first start and kept under `.data/`, readable by their owner alone. */

import { dirname } from "node:path";

export function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}

/** The secret in `file`, made if there is none. */
export function keptSecret(file: string): string {
  Deno.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const secret = Deno.readTextFileSync(file).trim();
    if (secret !== "") return secret;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const secret = randomHex(32);
  // Renamed into place, so that a start that is killed here leaves no half of it.
  const staged = `${file}.new`;
  Deno.writeTextFileSync(staged, `${secret}\n`, { mode: 0o600 });
  Deno.chmodSync(staged, 0o600);
  Deno.renameSync(staged, file);
  return secret;
}
