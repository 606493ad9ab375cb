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

/** A browser with a profile of its own, which is removed when it is closed. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
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
}
