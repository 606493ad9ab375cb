/** A PostgreSQL for one test or bench: on a port that is free, in a folder that goes away with it. */

import { Output } from "../output.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { unprivilegedUser } from "./layout.ts";
import { randomHex } from "../secrets.ts";
import { join } from "node:path";

export interface PrivatePostgresOptions {
  /** Where its lines go; default nowhere. */
  readonly output?: Output;
  readonly settings?: Record<string, string>;
  /** Whether what is committed must survive a power cut. Default false: a killed server loses nothing either way. */
  readonly durable?: boolean;
}

const SILENT = new Output({ colour: false, write: (bytes) => Promise.resolve(bytes.length) });

/** A server that takes connections; `stop` also removes all that it was. */
export async function startPrivatePostgres(
  options: PrivatePostgresOptions = {},
): Promise<Postgres & AsyncDisposable> {
  const folder = Deno.makeTempDirSync({ prefix: "notifyx-postgres-" });
  const user = unprivilegedUser();
  if (user !== undefined) Deno.chmodSync(folder, 0o711);
  const passwordFile = join(folder, "password");
  Deno.writeTextFileSync(passwordFile, randomHex(16), { mode: 0o600 });
  const postgres = await startPostgres({
    layout: { home: join(folder, "home"), programs: join(folder, "programs"), user },
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

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
