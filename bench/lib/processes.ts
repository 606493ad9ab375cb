/** What processes use of the machine, where it is a Linux one; NaN elsewhere. */

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

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
