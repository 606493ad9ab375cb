/** Runs Deno as a part of a build. */

/** The longest that one part may take, in milliseconds: packages may come over a slow line. */
const LIMIT_MS = 10 * 60_000;

/** One line, and all that it said. */
export class RunError extends Error {
  override readonly name = "RunError";
  constructor(message: string, readonly said: string) {
    super(message);
  }
}

/** @throws RunError with the line that says why, where it fails */
export async function run(args: readonly string[], cwd: string): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).spawn();
  const stop = () => {
    child.kill("SIGTERM");
    Deno.exit(1);
  };
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
  const { success, stderr } = await child.output();
  Deno.removeSignalListener("SIGTERM", stop);
  Deno.removeSignalListener("SIGINT", stop);
  const said = new TextDecoder().decode(stderr);
  if (!success) throw new RunError(reasonIn(said), said);
}

/** The line that says what is wrong; others tell where. */
function reasonIn(said: string): string {
  const lines = said.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.find((line) => /^(error|\w*Error): (?!Uncaught)/.test(line)) ?? lines.at(-1) ?? "it said nothing";
}
