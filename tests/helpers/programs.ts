/** Programs of the machine that some tests need and that not every machine has. */

/** Whether it is there, and answers to these arguments; where it isn't, that is said, with what is skipped then. */
export function hasProgram(name: string, args: readonly string[], skipped: string): boolean {
  try {
    const { success } = new Deno.Command(name, { args: [...args], stdin: "null", stdout: "null", stderr: "null" })
      .outputSync();
    if (success) return true;
  } catch {
    // It isn't there.
  }
  console.log(`${skipped}: skipped, since there is no ${[name, ...args].join(" ")}`);
  return false;
}
