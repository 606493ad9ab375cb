/**
 * Downloads what the services need, once, by one process that says how far it is.
 * Left to themselves they would all download the same packages at once, and in silence.
 */

import { SECOND } from "../kit/time.ts";
import { TextLineStream } from "./lines.ts";
import { NODE_KINDS } from "./nodes.ts";
import { join } from "node:path";

const SAY_EVERY_MS = 2 * SECOND;

/** Does nothing if it was done for the present deno.lock. */
export async function downloadOnce(checkout: string, dataDir: string, progress: (line: string) => void): Promise<void> {
  const mark = join(dataDir, "downloaded");
  const wanted = await digest(Deno.readTextFileSync(join(checkout, "deno.lock")));
  if (readMark(mark) === wanted) return;

  const child = new Deno.Command(Deno.execPath(), {
    args: ["cache", ...NODE_KINDS.map(({ main }) => join(checkout, main))],
    cwd: checkout,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors: string[] = [];
  let packages = 0;
  let saidAt = performance.now();
  for await (const line of child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    if (!line.startsWith("Download ")) {
      errors.push(line);
      continue;
    }
    packages++;
    if (performance.now() - saidAt < SAY_EVERY_MS) continue;
    saidAt = performance.now();
    progress(`downloading npm packages, at the first start only: ${packages} so far`);
  }
  if (!(await child.status).success) throw new Error(`can't download npm packages: ${errors.join(" ").trim()}`);
  Deno.writeTextFileSync(mark, `${wanted}\n`);
}

function readMark(mark: string): string | undefined {
  try {
    return Deno.readTextFileSync(mark).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function digest(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}
