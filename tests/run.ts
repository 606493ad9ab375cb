/**
 * `deno task test [FILTER …]`: all tests, in parallel, on one PostgreSQL of their own; arguments are passed on to `deno test`
 * (files, folders, `--filter NAME`). Closes with `N passed, N failed`.
 *
 * Three files of whole systems share two cores: a test may miss its time limit for that alone. So what fails among all tests is run
 * once more with the machine to itself, and fails if it fails again; what passed only then is named in the last line.
 */

import { preparePrivatePostgres, startPrivatePostgres } from "../cluster/postgres/mod.ts";

const FOLDERS = ["kit", "services", "gateway", "cluster", "client", "bench", "tests"];
/** More files than this don't fail by chance. */
const MOST_ONCE_MORE = 4;

interface Outcome {
  code: number;
  passed: number;
  failed: number;
  skipped: number;
  failedFiles: string[];
}

const template = Deno.makeTempDirSync({ prefix: "notifyx-template-" });
await preparePrivatePostgres(template);
const postgres = await startPrivatePostgres({ template });

/** One `deno test`, its output passed on as it comes. */
async function test(args: string[], jobs: string): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", "--parallel", ...args],
    env: { NOTIFYX_TEST_DATABASE_URL: postgres.url, NOTIFYX_TEST_POSTGRES: template, DENO_JOBS: jobs },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  // A Ctrl-C reaches deno test as well: it ends, and then so do we.
  const stop = () => child.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
  let output = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    output = (output + new TextDecoder().decode(chunk)).slice(-20_000);
  }
  const { code, signal } = await child.status;
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, stop);
  // deno-lint-ignore no-control-regex -- the colours of a terminal
  const plain = output.replaceAll(/\x1b\[[\d;]*m/g, "");
  const sums = /(\d+) passed[^|\n]*\| (\d+) failed(?:[^|\n]*\| (\d+) ignored)?/.exec(
    plain.slice(plain.lastIndexOf(" passed") - 20),
  );
  const failures = plain.slice(plain.lastIndexOf("\n FAILURES \n"));
  return {
    code,
    passed: Number(sums?.[1] ?? 0),
    failed: Number(sums?.[2] ?? (code === 0 ? 0 : 1)),
    skipped: Number(sums?.[3] ?? 0),
    failedFiles: code === 0 || signal !== null || sums === null || !failures.startsWith("\n FAILURES ")
      ? []
      : [...new Set([...failures.matchAll(/\.\/([\w./-]+_test\.tsx?)/g)].map(([, file]) => file!))],
  };
}

let outcome: Outcome | undefined;
let onceMore: Outcome | undefined;
try {
  const named = Deno.args.some((argument) => !argument.startsWith("-"));
  // Half as many files more than there are cores: many tests wait for what is frozen or away.
  const jobs = Deno.env.get("DENO_JOBS") ?? `${Math.ceil(navigator.hardwareConcurrency * 1.5)}`;
  outcome = await test([...Deno.args, ...named ? [] : FOLDERS], jobs);
  const { failedFiles } = outcome;
  if (!named && failedFiles.length > 0 && failedFiles.length <= MOST_ONCE_MORE) {
    console.log(`\nOnce more, with the machine to themselves: ${failedFiles.join(", ")}`);
    onceMore = await test([...Deno.args, ...failedFiles], "1");
  }
} finally {
  await postgres.stop();
  Deno.removeSync(template, { recursive: true });
}
if (onceMore?.code === 0 && onceMore.passed > 0) {
  const { passed, failed, skipped, failedFiles } = outcome;
  console.log(
    `${passed + failed} passed, 0 failed, ${skipped} skipped; ${failed} of them only once more by themselves: ` +
      failedFiles.join(", "),
  );
  Deno.exit(0);
}
const { code, passed, failed, skipped } = outcome;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
Deno.exit(code);
