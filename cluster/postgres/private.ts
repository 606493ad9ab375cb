/** A PostgreSQL for one test or bench: on a port that is free, in a folder that goes away with it. */

import { Output } from "../output.ts";
import { randomHex } from "../secrets.ts";
import { initialise } from "./initialise.ts";
import { makeLayout, unprivilegedUser } from "./layout.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { installPrograms } from "./programs.ts";
import { join } from "node:path";

export interface PrivatePostgresOptions {
  /** Where its lines go; default nowhere. */
  readonly output?: Output;
  readonly settings?: Record<string, string>;
  /** Whether what is committed must survive a power cut. Default false: a killed server loses nothing either way. */
  readonly durable?: boolean;
  /** A folder that {@link preparePrivatePostgres} has made; without, the programs are installed and the data is made anew. */
  readonly template?: string;
}

const SILENT = new Output({ colour: false, write: (bytes) => Promise.resolve(bytes.length) });

/**
 * Makes in `folder` what each private server needs, once for all of them: programs, a password, and data that is copied for each.
 * A start takes a quarter of the time then; a folder of all tests is made 100 times otherwise.
 */
export async function preparePrivatePostgres(folder: string): Promise<void> {
  const user = unprivilegedUser();
  const passwordFile = join(folder, "password");
  Deno.writeTextFileSync(passwordFile, randomHex(16), { mode: 0o600 });
  const layout = { home: folder, programs: join(folder, "programs"), user };
  makeLayout(layout);
  const programs = await installPrograms(layout.programs, () => {});
  await initialise({ home: folder, programs, passwordFile, user, settings: {} }, () => {});
}

/** A server that takes connections; `stop` also removes all that it was. */
export async function startPrivatePostgres(
  options: PrivatePostgresOptions = {},
): Promise<Postgres & AsyncDisposable> {
  const { template } = options;
  const folder = Deno.makeTempDirSync({ prefix: "notifyx-postgres-" });
  const user = unprivilegedUser();
  if (user !== undefined) Deno.chmodSync(folder, 0o711);
  const home = join(folder, "home");
  const passwordFile = join(template ?? folder, "password");
  if (template === undefined) Deno.writeTextFileSync(passwordFile, randomHex(16), { mode: 0o600 });
  else await copyData(template, home);
  const postgres = await startPostgres({
    layout: { home, programs: join(template ?? folder, "programs"), user },
    port: freePort(),
    passwordFile,
    remove: folder,
    output: options.output ?? SILENT,
    settings: { ...options.durable === true ? {} : { fsync: "off" }, ...options.settings },
  });
  const stop = async () => {
    await postgres.stop();
    // What its guard, which removes it, could not: it was killed, or never came to run.
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  };
  try {
    await postgres.ready;
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...postgres, stop, [Symbol.asyncDispose]: stop };
}

/** With its owner and modes, which the server looks at. */
async function copyData(template: string, home: string): Promise<void> {
  Deno.mkdirSync(home);
  const { success, stderr } = await new Deno.Command("/bin/cp", {
    args: ["-a", join(template, "data"), join(home, "data")],
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
