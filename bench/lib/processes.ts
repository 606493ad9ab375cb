/** What processes use of the machine, where it is a Linux one; NaN elsewhere. */

import { delay } from "../../kit/time.ts";

/** Of `/proc`: a constant of Linux on all machines of today. */
const TICKS_PER_SECOND = 100;

/** The resident memory of a process, in MiB. */
export function residentMib(pid: number): number {
  const kibibytes = /VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kibibytes ?? NaN) / 1024;
}

/** The processor time that a process has used, in seconds. */
export function processorSeconds(pid: number): number {
  // Behind the name, which may hold spaces: state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime
  const fields = read(`/proc/${pid}/stat`).split(") ")[1]?.split(" ");
  return (Number(fields?.[11] ?? NaN) + Number(fields?.[12] ?? NaN)) / TICKS_PER_SECOND;
}

/** How long a core has been busy, and how long in all, in ticks since the machine began. */
export function coreTicks(core: number): { busy: number; all: number } {
  const line = read("/proc/stat").split("\n").find((one) => one.startsWith(`cpu${core} `));
  // user nice system idle iowait irq softirq steal
  const ticks = line?.split(/\s+/).slice(1, 9).map(Number) ?? [NaN];
  const all = ticks.reduce((sum, one) => sum + one);
  return { busy: all - ticks[3]! - ticks[4]!, all };
}

/** What is used of the processors from `fromMs` to `toMs` from now: the share of each core, and the process's seconds. */
export async function processorUse(
  pid: number,
  fromMs: number,
  toMs: number,
): Promise<{ busy: [number, number]; seconds: number }> {
  const now = () => ({ cores: [coreTicks(0), coreTicks(1)], seconds: processorSeconds(pid) });
  await delay(fromMs);
  const before = now();
  await delay(toMs - fromMs);
  const after = now();
  const share = (core: 0 | 1) =>
    (after.cores[core]!.busy - before.cores[core]!.busy) / (after.cores[core]!.all - before.cores[core]!.all);
  return { busy: [share(0), share(1)], seconds: after.seconds - before.seconds };
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
