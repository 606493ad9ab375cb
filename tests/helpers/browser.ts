/** A headless Chromium for tests of web pages, where there is one on this machine. */

import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];

/** Undefined where there is none: the tests that need it are skipped then. */
export const CHROMIUM = PLACES.find((path) => {
  try {
    // On some systems what is there is a script that names another package, and fails.
    return new Deno.Command(path, { args: ["--version"], stdin: "null" }).outputSync().success;
  } catch {
    return false;
  }
});

/** Why tests are skipped, said once by each file that has some. */
export function sayIfMissing(what: string): void {
  if (CHROMIUM === undefined) {
    console.log(`${what}: skipped, since there is no Chromium (looked for ${PLACES.join(", ")})`);
  }
}

/** `deno task test:client` has all of the web client's tests run, and each whole; all tests together would take too long with them. */
const WHOLE_CLIENT = Deno.env.get("NOTIFYX_TEST_CLIENT") === "whole";

/** Whether tests of `what` are left to `deno task test:client`, or skipped without a browser; which of both is said. */
export function leftOut(what: string): boolean {
  sayIfMissing(what);
  if (CHROMIUM !== undefined && !WHOLE_CLIENT) console.log(`${what}: left to deno task test:client`);
  return CHROMIUM === undefined || !WHOLE_CLIENT;
}

/** By which the processes of a browser are found. */
const marks = new WeakMap<Browser, string>();

/** A browser with a profile of its own, which is removed when it is closed. */
export async function startBrowser(): Promise<Browser> {
  const mark = `--of-test=${crypto.randomUUID()}`;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      mark,
      // It shows pages of ours alone, and as root it would not start otherwise.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  marks.set(browser, mark);
  return browser;
}

/** All processes of the browser stand still, as on a laptop whose lid is closed, until the answer is disposed of. */
export function closeLid(browser: Browser): Disposable {
  const processes = Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter(Number.isInteger)
    .flatMap((pid) => {
      try {
        const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
        // Behind its name, which may have anything in it.
        const [, parent] = /\) \w (\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))!;
        return [{ pid, parent: Number(parent), command }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
  const pids = new Set(
    processes.filter(({ command }) => command.includes(marks.get(browser)!)).map(({ pid }) => pid),
  );
  // A set's loop comes to what is added meanwhile as well.
  for (const pid of pids) for (const one of processes) if (one.parent === pid) pids.add(one.pid);
  for (const pid of pids) Deno.kill(pid, "SIGSTOP");
  return {
    [Symbol.dispose]() {
      for (const pid of pids) Deno.kill(pid, "SIGCONT");
    },
  };
}
