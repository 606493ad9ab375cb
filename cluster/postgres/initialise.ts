/** Makes the data folder at the first start. */

import type { GuardOptions } from "./guard_options.ts";
import { join } from "node:path";

/** The server that the data is for; a newer one can't read it. */
const MAJOR_VERSION = "18";
/** Exit code of a wrong setting: nobody restarts what ends with it. */
const EXIT_CONFIG = 78;

/** Makes `data` unless it is there; in a folder beside it that is renamed at the end, so that a half-made one is never taken for whole. */
export async function initialise(options: GuardOptions, progress: () => void): Promise<void> {
  const { home, programs, user } = options;
  const data = join(home, "data");
  const version = readIfThere(join(data, "PG_VERSION"))?.trim();
  if (version === MAJOR_VERSION) return;
  if (version !== undefined) {
    console.error(`${data} is of PostgreSQL ${version}, this is ${MAJOR_VERSION}: move it away to start anew`);
    Deno.exit(EXIT_CONFIG);
  }
  progress();
  const staged = join(home, "data.new");
  const password = join(home, "password.new");
  removeIfThere(staged);
  removeIfThere(password);
  Deno.mkdirSync(staged, { mode: 0o700 });
  Deno.writeTextFileSync(password, Deno.readTextFileSync(options.passwordFile), { mode: 0o600, createNew: true });
  if (user !== undefined) {
    Deno.chownSync(staged, user.uid, user.gid);
    Deno.chownSync(password, user.uid, user.gid);
  }
  const { success, code, stderr } = await new Deno.Command(join(programs, "bin", "initdb"), {
    args: [
      `--pgdata=${staged}`,
      "--username=postgres",
      `--pwfile=${password}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // The server's own locale, the same on every machine, whatever the system has.
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--locale=C",
      "--no-instructions",
    ],
    uid: user?.uid,
    gid: user?.gid,
    cwd: home,
    clearEnv: true,
    env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" },
    stdin: "null",
    detached: true,
  }).output();
  removeIfThere(password);
  if (!success) {
    console.error(new TextDecoder().decode(stderr).trim());
    console.error(`initdb ended with exit code ${code}`);
    Deno.exit(EXIT_CONFIG);
  }
  Deno.renameSync(staged, data);
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
