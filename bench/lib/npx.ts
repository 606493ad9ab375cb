/** Programs of npm packages that only a benchmark needs, on the Node that they are made for. */

import { MINUTE } from "../../kit/time.ts";

/** For the first run, which downloads them, in milliseconds. */
const DOWNLOAD_LIMIT_MS = 5 * MINUTE;

/** Where npx keeps them: started by it they would be grandchildren, whom a kill doesn't reach. @throws Error that says why they can't be had */
export async function npxPrograms(packages: readonly string[], names: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command("npx", {
    args: [
      "-y",
      ...packages.flatMap((one) => ["-p", one]),
      "-c",
      names.map((name) => `command -v ${name}`).join(" && "),
    ],
    signal: AbortSignal.timeout(DOWNLOAD_LIMIT_MS),
  }).output();
  const paths = new TextDecoder().decode(stdout).trim().split("\n");
  if (code === 0 && paths.length === names.length) return paths;
  throw new Error(`npx can't get it: ${new TextDecoder().decode(stderr).trim().slice(-1_000)}`);
}
