/** Reads `postmaster.pid`, in which a running server says who and how it is (a line each: process, data, start, port, …, state). */

import { join } from "node:path";

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly state: string;
}

/** What the file in `data` says; undefined if there is none, or it is being written. */
export function readPostmaster(data: string): Postmaster | undefined {
  let lines: string[];
  try {
    lines = Deno.readTextFileSync(join(data, "postmaster.pid")).split("\n");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const pid = Number(lines[0]);
  // A server that runs on its own for one command (`--single`) writes its pid as a negative number.
  if (!Number.isInteger(pid) || pid === 0) return undefined;
  return { pid: Math.abs(pid), port: Number(lines[3] ?? 0), state: lines[7]?.trim() ?? "" };
}

/** Whether the server with this pid takes connections. */
export function isReady(data: string, pid: number): boolean {
  const postmaster = readPostmaster(data);
  return postmaster?.pid === pid && postmaster.state === "ready";
}
