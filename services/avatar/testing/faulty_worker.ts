/** A thread for tests of the pool: what becomes of a job is in its letters. */

/// <reference lib="webworker" />

import type { Drawn, FromThread, Job } from "../job.ts";

const thread = self as unknown as DedicatedWorkerGlobalScope;
/** What a thread would need a permission for. */
const MAY: (() => unknown)[] = [
  () => Deno.readTextFileSync(new URL(import.meta.url)),
  () => Deno.writeTextFileSync("/dev/null", ""),
  () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  () => Deno.env.get("PATH"),
  () => Deno.hostname(),
  () => new Deno.Command("true").outputSync(),
];
/** Far longer than any thread is given, in milliseconds; not for ever, since Deno's terminate() doesn't end a loop that is running. */
const HANGS_MS = 4_000;
let jobs = 0;

thread.onmessage = ({ data }: MessageEvent<readonly Job[]>) => {
  thread.postMessage(data.map(({ letters, size }): Drawn => {
    jobs++;
    if (letters === "dies") throw new Error("dead");
    if (letters === "hangs") { for (const began = Date.now(); Date.now() < began + HANGS_MS;); }
    if (letters === "fails") return { fault: "it can't" };
    if (letters === "may") return { png: Uint8Array.of(MAY.filter(isAllowed).length), tookMs: 1 };
    if (letters === "sleeps") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, size);
    return { png: Uint8Array.of(jobs, data.length), tookMs: 1 };
  }));
};
thread.postMessage("ready" satisfies FromThread);

function isAllowed(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}
