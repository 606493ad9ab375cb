/** One thread that draws: jobs in, PNGs out. It has no permissions but to read its own code. */

/// <reference lib="webworker" />

import { drawPng } from "./drawing/mod.ts";
import type { Drawn, FromThread, Job } from "./job.ts";

const thread = self as unknown as DedicatedWorkerGlobalScope;

thread.onmessage = ({ data }: MessageEvent<readonly Job[]>) => {
  const drawn = data.map(draw);
  thread.postMessage(drawn satisfies FromThread, drawn.flatMap((one) => "png" in one ? [one.png.buffer] : []));
};
thread.postMessage("ready" satisfies FromThread);

function draw({ id, letters, style, size }: Job): Drawn {
  const began = performance.now();
  try {
    return { png: drawPng({ id, letters }, style, size), tookMs: performance.now() - began };
  } catch (error) {
    return { fault: String(error) };
  }
}
