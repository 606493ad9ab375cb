/**
 * `deno task test [FILTER …]`: all tests, in parallel, on one PostgreSQL of their own; arguments are passed on to `deno test`
 * (files, folders, `--filter NAME`). Closes with `N passed, N failed`.
 */

import { preparePrivatePostgres, startPrivatePostgres } from "../cluster/postgres/mod.ts";

const FOLDERS = ["kit", "services", "gateway", "cluster", "client", "bench", "tests"];

const template = Deno.makeTempDirSync({ prefix: "notifyx-template-" });
await preparePrivatePostgres(template);
const postgres = await startPrivatePostgres({ template });
let output = "";
let code = 1;
try {
  const named = Deno.args.some((argument) => !argument.startsWith("-"));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", "--parallel", ...Deno.args, ...named ? [] : FOLDERS],
    // Half as many files more than there are cores: many tests wait for what is frozen or away.
    env: {
      NOTIFYX_TEST_DATABASE_URL: postgres.url,
      NOTIFYX_TEST_POSTGRES: template,
      DENO_JOBS: Deno.env.get("DENO_JOBS") ?? `${Math.ceil(navigator.hardwareConcurrency * 1.5)}`,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  // A Ctrl-C reaches deno test as well: it ends, and then so do we.
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => child.kill("SIGTERM"));
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    output = (output + new TextDecoder().decode(chunk)).slice(-10_000);
  }
  code = (await child.status).code;
} finally {
  await postgres.stop();
  Deno.removeSync(template, { recursive: true });
}
// deno-lint-ignore no-control-regex -- the colours of a terminal
const plain = output.replaceAll(/\x1b\[[\d;]*m/g, "");
const [, passed, failed] = /(\d+) passed[^|\n]*\| (\d+) failed/.exec(plain.slice(plain.lastIndexOf(" passed") - 20)) ??
  [];
const skipped = /(\d+) ignored/.exec(plain.slice(plain.lastIndexOf(" passed")))?.[1];
console.log(`${passed ?? 0} passed, ${failed ?? (code === 0 ? 0 : 1)} failed${skipped ? `, ${skipped} skipped` : ""}`);
Deno.exit(code);
