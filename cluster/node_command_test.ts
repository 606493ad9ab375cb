/** How a node is started by itself: what docker/node.sh is told, in a place of its own. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isIn } from "./network.ts";

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
const SECRET = "a-secret-of-the-tests-that-is-long-enough";

/** What it prints, and the code with which it ends. */
async function commandOf(args: string[], env: Record<string, string>): Promise<{ said: string; code: number }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      "--allow-read",
      "--allow-env=NOTIFYX_*,OTEL_*",
      "--allow-sys=networkInterfaces",
      join(CHECKOUT, "cluster/node_command.ts"),
      ...args,
    ],
    env: { NOTIFYX_CLUSTER_SECRET: SECRET, ...env },
    stdin: "null",
  }).output();
  return { said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr), code };
}

Deno.test("node command - a node is told its address in its network, and its command has no secret", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = join(folder, "it's a url");
    Deno.writeTextFileSync(file, "postgres://notifyx:word@postgres:5432\n");
    const { said, code } = await commandOf(["counter"], {
      NOTIFYX_HOST: "0.0.0.0",
      NOTIFYX_NETWORK: "127.0.0.0/30",
      NOTIFYX_DISCOVERY_URLS: "http://discovery:4100",
      NOTIFYX_DATABASE_URL_FILE: file,
    });
    equal(code, 0, said);
    match(said, /^export NOTIFYX_URL='http:\/\/127\.0\.0\.1:4400'$/m);
    match(said, /^exec '.*deno' 'run' '--no-prompt' .*'.*\/services\/counter\/main\.ts'$/m);
    for (const host of ["0.0.0.0:4400", "discovery:4100", "postgres:5432", "127.0.0.0/30:4200"]) {
      ok(said.includes(host));
    }
    ok(said.includes(`'--allow-read=${file.replace("'", "'\\''")}'`), said);
    ok(!said.includes("word") && !said.includes(SECRET), said);
    ok(!said.includes("--allow-write"), said);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("node command - a given URL counts, and a given folder is the only one that is written to", async () => {
  const { said } = await commandOf(["avatar"], {
    NOTIFYX_HOST: "10.1.2.3",
    NOTIFYX_URL: "http://avatar-1.example:4600",
    NOTIFYX_DIRECTORY_COPY: "/var/lib/notifyx/copy",
  });
  match(said, /^export NOTIFYX_URL='http:\/\/avatar-1\.example:4600'$/m);
  deepEqual(/'--allow-write=([^']*)'/.exec(said)?.[1], "/var/lib/notifyx");
});

Deno.test("node command - what is wrong is one line, and nothing is started", async () => {
  const cases: [string[], Record<string, string>, number, string][] = [
    [["post"], {}, 2, "a node is one of discovery, auth, notifications, counter, mail, avatar, client, gateway\n"],
    [
      ["counter"],
      { NOTIFYX_NETWORK: "172.30.40.0" },
      78,
      'NOTIFYX_NETWORK is "172.30.40.0"; it takes a network of IPv4 such as 172.30.40.0/24\n',
    ],
    [
      ["auth"],
      { NOTIFYX_SESSION_SECONDS: "forever" },
      78,
      'NOTIFYX_SESSION_SECONDS is "forever"; it takes a whole number from 1 to 315360000\n',
    ],
    [
      ["counter"],
      { NOTIFYX_HOST: "0.0.0.0", NOTIFYX_NETWORK: "203.0.113.0/24" },
      78,
      'NOTIFYX_NETWORK is "203.0.113.0/24", in which this machine has no address\n',
    ],
  ];
  for (const [args, env, code, line] of cases) deepEqual(await commandOf(args, env), { said: line, code });
});

Deno.test("network - an address is in it or not", () => {
  ok(isIn("172.30.40.0/24", "172.30.40.255"));
  ok(!isIn("172.30.40.0/24", "172.30.41.1"));
  ok(!isIn("172.30.40.0/24", "::1"));
});
