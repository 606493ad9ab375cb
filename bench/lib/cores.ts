/** Pins processes to a core, where the machine has `taskset` (util-linux) and several of them. */

/** All threads of the process; whether it could be done. */
export async function onCore(core: number, pid: number): Promise<boolean> {
  if (navigator.hardwareConcurrency < 2) return false;
  try {
    const { success } = await new Deno.Command("taskset", {
      args: ["--all-tasks", "--cpu-list", "--pid", String(core), String(pid)],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
