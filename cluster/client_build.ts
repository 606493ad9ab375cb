/**
 * Has the client built beside a start, where it isn't yet or its sources have changed. Nothing waits for it: the client's port answers
 * from the start on, until then with a page that opens the client as soon as it is there. Where it can't be built, a line says why, and
 * all else goes on.
 */

import { builtFingerprint, fingerprint } from "../client/build/fingerprint.ts";
import { buildFlags } from "../client/build/flags.ts";
import { TextLineStream } from "./lines.ts";
import type { Output } from "./output.ts";

const NAME = "client build";

/** Begins; what comes back ends it, and resolves when it has ended. */
export function buildClientBeside(checkout: string, output: Output): () => Promise<unknown> {
  let child: Deno.ChildProcess | undefined;
  let isStopped = false;
  const running = (async () => {
    if (await builtFingerprint(checkout) === await fingerprint(checkout) || isStopped) return;
    child = new Deno.Command(Deno.execPath(), {
      args: buildFlags(checkout),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
      for await (const line of lines) output.line(NAME, line);
    };
    await Promise.all([read(child.stdout), read(child.stderr), child.status]);
    child = undefined;
  })().catch((error) =>
    output.line(NAME, `the client can't be built: ${error instanceof Error ? error.message : error}`)
  );
  return () => {
    isStopped = true;
    child?.kill("SIGTERM");
    return running;
  };
}
