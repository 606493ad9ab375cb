/** One start at a time in a checkout: a lock that the operating system takes back from whoever dies. */

import { join } from "node:path";

export interface StartLock extends Disposable {
  /** Whether the start before this one did not get to its end, so that something of it may still be stopping. */
  readonly afterCrash: boolean;
}

/** Takes the lock of `dataDir`, or says who has it. */
export function takeStartLock(dataDir: string): StartLock | { holder: string } {
  Deno.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, "start.lock");
  const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  if (!file.tryLockSync(true)) {
    file.close();
    return { holder: Deno.readTextFileSync(path).trim() };
  }
  const afterCrash = Deno.readTextFileSync(path).trim() !== "";
  file.truncateSync(0);
  file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
  return {
    afterCrash,
    [Symbol.dispose]() {
      file.truncateSync(0);
      file.close();
    },
  };
}
