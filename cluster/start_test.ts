/** `deno task start` from the outside, in a copy of the checkout whose path has a space and that only its owner may enter. */

import { equal, match, ok } from "node:assert/strict";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { delay } from "../kit/time.ts";
import { TextLineStream } from "./lines.ts";
import { NODE_KINDS, portOf } from "./nodes.ts";
import { takenPort } from "./ports.ts";

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
const NEEDED = ["deno.json", "deno.lock", "client", "cluster", "gateway", "kit", "schema", "services"];
const READY_LIMIT_MS = 60_000;

/** What a stop may take (NOTIFYX_STOP_SECONDS) and a little, since all of its processes end on two busy cores. */
const STOP_LIMIT_MS = 12_000;

interface Copy extends Disposable {
  readonly folder: string;
  readonly basePort: number;
}

function copyCheckout(): Copy {
  const temporary = Deno.makeTempDirSync();
  const folder = join(temporary, "check out");
  Deno.mkdirSync(folder);
  for (const name of NEEDED) cpSync(join(CHECKOUT, name), join(folder, name), { recursive: true });
  return {
    folder,
    basePort: 20_000 + Math.floor(Math.random() * 200) * 50,
    [Symbol.dispose]: () => Deno.removeSync(temporary, { recursive: true }),
  };
}

/** One `deno task start`: what it printed, and how it ended. */
class Start {
  readonly lines: string[] = [];
  readonly status: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;

  constructor(private readonly copy: Copy, args: string[] = [], env: Record<string, string> = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "start", ...args],
      cwd: copy.folder,
      env: { NOTIFYX_BASE_PORT: String(copy.basePort), NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const read = [this.#child.stdout, this.#child.stderr].map(async (stream) => {
      for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
        this.lines.push(line);
      }
    });
    this.status = Promise.all([this.#child.status, ...read]).then(([status]) => status);
  }

  get text(): string {
    return this.lines.join("\n");
  }

  /** Waits for the line that says so. */
  async ready(): Promise<void> {
    const from = performance.now();
    while (!this.lines.some((line) => line.startsWith("notifyx "))) {
      ok(performance.now() - from < READY_LIMIT_MS, this.text);
      await delay(20);
    }
    match(this.text, /^notifyx ready in [\d.]+ s$/m);
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** The process of cluster/start.ts itself, below `deno task`. */
  supervisor(): number {
    const pid = Number(Deno.readTextFileSync(join(this.copy.folder, ".data", "start.lock")));
    ok(pid > 1, "nothing runs in this checkout");
    return pid;
  }
}

/** Fails unless all ports of a start are free within the limit: whoever listened on them is gone. */
async function nobodyLeft({ basePort }: Copy, limitMs: number): Promise<void> {
  const ports = [...NODE_KINDS.map(({ kind }) => portOf({ basePort }, kind, 0)), basePort + 700, basePort + 900];
  const taken = await takenPort(ports.map((port) => ({ name: "", host: "127.0.0.1", port })), limitMs);
  equal(taken, undefined);
}

/** As root PostgreSQL's data is outside of the checkout; and so are its programs, which others may be using. */
function removeSystemData(text: string): void {
  const data = /with its data in (.*)$/m.exec(text)?.[1];
  if (data !== undefined) Deno.removeSync(dirname(data), { recursive: true });
}

Deno.test("start - from nothing, on old data, and after kill -9, and leaves no process", async () => {
  using copy = copyCheckout();
  const fresh = new Start(copy);
  try {
    await fresh.ready();
    match(fresh.text, /postgres +\| initialising/);
    match(fresh.text, new RegExp(`^ +gateway +http://127.0.0.1:${copy.basePort}/graphql`, "m"));
    match(
      fresh.text,
      new RegExp(`^ +inbox +http://127.0.0.1:${copy.basePort + 500}/inbox +mails: no SMTP server`, "m"),
    );
    const inbox = await fetch(`http://127.0.0.1:${copy.basePort + 500}/inbox`);
    equal(inbox.status, 200);
    await inbox.body?.cancel();
    match(fresh.text, new RegExp(`^ +PostgreSQL +postgres://postgres@127.0.0.1:${copy.basePort + 900} `, "m"));
    const secret = Deno.readTextFileSync(join(copy.folder, ".data", "cluster-secret")).trim();
    ok(secret.length >= 32 && !fresh.text.includes(secret));
    equal((Deno.statSync(join(copy.folder, ".data", "cluster-secret")).mode ?? 0) & 0o777, 0o600);

    const second = new Start(copy);
    equal((await second.status).code, 1);
    equal(second.text, `deno task start is already running in this checkout (process ${fresh.supervisor()})`);

    const stopping = performance.now();
    fresh.signal("SIGTERM");
    equal((await fresh.status).code, 0);
    const stopMs = performance.now() - stopping;
    ok(stopMs < STOP_LIMIT_MS, `${stopMs} ms: ${fresh.text}`);
    await nobodyLeft(copy, 0);

    const old = new Start(copy);
    await old.ready();
    ok(!/initialising/.test(old.text));
    Deno.kill(old.supervisor(), "SIGKILL");
    await nobodyLeft(copy, 10_000);
    await old.status;

    const after = new Start(copy);
    await after.ready();
    // As a terminal's Ctrl-C, which comes twice.
    after.signal("SIGINT");
    after.signal("SIGINT");
    equal((await after.status).code, 0);
    ok(!/at once/.test(after.text));
    await nobodyLeft(copy, 0);
  } finally {
    try {
      Deno.kill(fresh.supervisor(), "SIGTERM");
      await nobodyLeft(copy, 10_000);
    } catch {
      // It has stopped.
    }
    removeSystemData(fresh.text);
  }
});

Deno.test("start - names a taken port and its variable before it starts anything", async () => {
  using copy = copyCheckout();
  const { basePort } = copy;
  for (const [name, port] of [["notifications", basePort + 300], ["the development inbox", basePort + 700]] as const) {
    using _listener = Deno.listen({ hostname: "127.0.0.1", port });
    const start = new Start(copy);
    equal((await start.status).code, 1);
    equal(
      start.text,
      `port ${port} (${name}) is taken; NOTIFYX_BASE_PORT, which is ${basePort}, moves all ports together`,
    );
  }
});

Deno.test("start - says in one line what is wrong with an option or a setting", async () => {
  using copy = copyCheckout();
  const cases: [string[], Record<string, string>, number, string][] = [
    [["--nodes", "3"], {}, 2, "unknown option --nodes; --help lists the options"],
    [["--auth", "many"], {}, 2, "--auth is many; it takes 0 to 99"],
    [["--gateways"], {}, 2, "--gateways has no number; it takes 0 to 99"],
    [[], { NOTIFYX_BASE_PORT: "high" }, 78, 'NOTIFYX_BASE_PORT is "high"; it takes a whole number from 1691 to 60000'],
    // Those of a single kind of process too, before PostgreSQL or anything else is started.
    [
      [],
      { NOTIFYX_SESSION_SECONDS: "forever" },
      78,
      'NOTIFYX_SESSION_SECONDS is "forever"; it takes a whole number from 1 to 315360000',
    ],
    [
      [],
      { NOTIFYX_ALLOWED_ORIGINS: "app.example" },
      78,
      'NOTIFYX_ALLOWED_ORIGINS is "app.example"; it takes origins such as https://app.example, separated by commas',
    ],
    [
      [],
      { NOTIFYX_URL: "here" },
      78,
      "NOTIFYX_URL holds a value that is not shown here; it takes a URL that starts with http:// or https://",
    ],
    // Those that belong together.
    [
      [],
      { NOTIFYX_DKIM_DOMAIN: "example.org" },
      78,
      "NOTIFYX_DKIM_DOMAIN, NOTIFYX_DKIM_SELECTOR and NOTIFYX_DKIM_KEY_FILE are all set, or none",
    ],
    [
      ["--auth", "0"],
      { NOTIFYX_SESSION_SECONDS: "x", NOTIFYX_LOG_FORMAT: "y" },
      78,
      'NOTIFYX_LOG_FORMAT is "y"; it takes auto, pretty or json',
    ],
  ];
  for (const [args, env, code, line] of cases) {
    const start = new Start(copy, args, env);
    equal((await start.status).code, code);
    equal(start.text, line);
  }
  // An address of nobody's (RFC 5737).
  const elsewhere = new Start(copy, [], { NOTIFYX_HOST: "203.0.113.1" });
  equal((await elsewhere.status).code, 1);
  match(elsewhere.text, /^notifyx did not start: NOTIFYX_HOST is "203.0.113.1", where discovery can't listen: .*$/);
});
