/** `deno task demo`: people, topics and notifications in the running system, by its public API alone. */

import { onStopSignals } from "../cluster/stop_signals.ts";
import { COMMON_SETTINGS, publicUrl, readConfig } from "../kit/config.ts";
import { reason } from "../kit/directory.ts";
import { isOwnHost } from "../kit/own_hosts.ts";
import { SECOND, withTimeLimit } from "../kit/time.ts";
import * as v from "valibot";
import { Api, ApiError, Stopped } from "./api.ts";
import { Crowd } from "./crowd.ts";
import { fill } from "./fill.ts";
import { flow } from "./flow.ts";
import { type DemoOptions, HELP, parseOptions } from "./options.ts";

/** Known to all who read this: nothing for a gateway that others reach. */
const PASSWORD = "correct horse battery";
/** How long signing out may take, in milliseconds. */
const LEAVE_LIMIT_MS = 3 * SECOND;

const options = parseOptions(Deno.args);
if (options === undefined) {
  console.log(HELP);
  Deno.exit(0);
}
if ("fault" in options) fail(options.fault, 2);
const config = readConfig({
  NOTIFYX_BASE_PORT: COMMON_SETTINGS.NOTIFYX_BASE_PORT,
  NOTIFYX_PUBLIC_URL: COMMON_SETTINGS.NOTIFYX_PUBLIC_URL,
  NOTIFYX_DEMO_PASSWORD: v.optional(v.pipe(v.string(), v.minLength(8, "at least 8 characters"))),
});
const url = options.url ?? publicUrl(config);
const password = config.NOTIFYX_DEMO_PASSWORD ?? (isOwnHost(new URL(url).hostname, new Set()) ? PASSWORD : undefined);
if (password === undefined) fail(`NOTIFYX_DEMO_PASSWORD has to be set, since ${url} isn't on this machine`, 2);

const stop = new AbortController();
onStopSignals(
  (signal) => {
    say(`${signal}: stopping`);
    stop.abort();
  },
  () => Deno.exit(1),
);
const crowd = new Crowd(new Api(url, stop.signal, say), password);
let code = 0;
try {
  await run(options);
} catch (error) {
  if (!(error instanceof Stopped)) {
    console.error(error instanceof ApiError ? `${error.message} (${error.code})` : `the demo failed: ${reason(error)}`);
    code = 1;
  }
}
await withTimeLimit("signing out", LEAVE_LIMIT_MS, crowd.leaveAll()).catch(() => {});
Deno.exit(code);

async function run(options: DemoOptions): Promise<void> {
  // Where nobody is there, it says so at once.
  await crowd.api.askOnce("{ __typename }");
  const guest = await fill(crowd, options, say);
  const unseen = await crowd.unseenCount(guest);
  const known = config.NOTIFYX_DEMO_PASSWORD === undefined ? `"${PASSWORD}"` : "that NOTIFYX_DEMO_PASSWORD has";
  const where = await crowd.client(guest) ?? `${url}/graphql`;
  say(`sign in at ${where} as ${guest.email} with the password ${known}: ${unseen} unseen notifications`);
  if (options.once) return;
  say(`${options.perMinute} notifications a minute from now on; Ctrl-C ends it`);
  await flow(crowd, options.seed, options.perMinute, stop.signal, say);
}

function say(line: string): void {
  console.log(line);
}

function fail(line: string, code: number): never {
  console.error(line);
  Deno.exit(code);
}
