/** The supervisor with small programs made for each test. */

import { equal, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { delay } from "../kit/time.ts";
import { Output } from "./output.ts";
import { type ProcessOptions, SupervisedProcess } from "./supervisor.ts";

/** Says when it is up, then waits for the end of stdin. */
const WAITS = `console.log("up"); for await (const _ of Deno.stdin.readable); Deno.exit(0);`;

interface Fixture extends AsyncDisposable {
  readonly process: SupervisedProcess;
  readonly text: () => string;
  readonly folder: string;
}

/** A supervised program, and what it and its supervisor printed. */
function fixture(program: string, options: Partial<ProcessOptions> = {}): Fixture {
  const folder = Deno.makeTempDirSync();
  const main = join(folder, "main.ts");
  Deno.writeTextFileSync(main, program);
  let text = "";
  const output = new Output({
    colour: false,
    write: (bytes) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  const process = new SupervisedProcess({
    name: "child",
    program: Deno.execPath(),
    args: ["run", "--no-config", "--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`, main],
    env: {},
    ready: { line: "up" },
    output,
    ...options,
  });
  return {
    process,
    folder,
    text: () => text,
    async [Symbol.asyncDispose]() {
      await process.stop(0);
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

function kill(process: SupervisedProcess): void {
  ok(process.pid);
  Deno.kill(process.pid, "SIGKILL");
}

async function until(what: string, limitMs: number, check: () => boolean): Promise<number> {
  const from = performance.now();
  while (!check()) {
    ok(performance.now() - from < limitMs, `${what} took longer than ${limitMs} ms`);
    await delay(5);
  }
  return performance.now() - from;
}

Deno.test("supervisor - restarts a process that dies within 0.5 s", async () => {
  await using child = fixture(WAITS);
  await child.process.start();
  kill(child.process);
  await until("the restart", 500, () => child.process.starts === 2);
  await until("ready", 5_000, () => child.process.state === "ready");
  match(child.text(), /child +\| was ended by SIGKILL; starting it again/);
});

Deno.test("supervisor - waits longer each time for a process that goes on dying", async () => {
  await using child = fixture(WAITS);
  await child.process.start();
  const waits: number[] = [];
  for (let round = 1; round <= 4; round++) {
    kill(child.process);
    waits.push(await until("the restart", 5_500, () => child.process.starts === round + 1));
    await until("ready", 5_000, () => child.process.state === "ready");
  }
  ok((waits[3] ?? 0) > 500, `waited ${waits}`);
});

Deno.test("supervisor - a wrong setting fails the start at once", async () => {
  await using child = fixture(`console.error("NOTIFYX_X is 1; it takes 2"); Deno.exit(78);`);
  await rejects(child.process.start(), /^Error: child ended with exit code 78 before it was ready$/);
  equal(child.process.starts, 1);
  match(child.text(), /child +\| NOTIFYX_X is 1; it takes 2/);
});

Deno.test("supervisor - a process that never gets ready fails the start", async () => {
  await using child = fixture(`Deno.exit(1);`);
  await rejects(child.process.start(), /before it was ready for the 5th time/);
});

Deno.test("supervisor - a stop ends a process by SIGTERM, and starts no other", async () => {
  await using child = fixture(
    `Deno.addSignalListener("SIGTERM", () => { console.log("drained"); Deno.exit(0); });
     setInterval(() => {}, 1000); console.log("up");`,
  );
  await child.process.start();
  await child.process.stop(5_000);
  match(child.text(), /drained/);
  equal(child.process.state, "stopped");
  equal(child.process.starts, 1);
});

Deno.test("supervisor - kills what does not stop in its time", async () => {
  await using child = fixture(
    `Deno.addSignalListener("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up");`,
  );
  await child.process.start();
  await child.process.stop(200);
  equal(child.process.pid, undefined);
  match(child.text(), /did not stop within 0.2 s and is killed/);
});

Deno.test("supervisor - a stop ends the wait for a restart", async () => {
  await using child = fixture(`Deno.exit(1);`);
  child.process.start().catch(() => {});
  await until("the third start", 5_000, () => child.process.starts === 3 && child.process.state === "waiting");
  const from = performance.now();
  await child.process.stop(5_000);
  ok(performance.now() - from < 1_000);
});

Deno.test("supervisor - ready when its URL answers 200", async () => {
  let answers = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { status: ++answers < 3 ? 503 : 200 }),
  );
  try {
    await using child = fixture(WAITS, { ready: { url: `http://127.0.0.1:${server.addr.port}/` } });
    await child.process.start();
    equal(answers, 3);
  } finally {
    await server.shutdown();
  }
});

Deno.test("supervisor - a child is in a session of its own, out of reach of a terminal's Ctrl-C", async () => {
  await using child = fixture(WAITS);
  await child.process.start();
  ok(child.process.pid);
  // The leader of a process group has its own number as the group's; to another's group this would be ESRCH.
  Deno.kill(-child.process.pid, "SIGCONT");
});

Deno.test("supervisor - a process whose supervisor is killed ends by itself", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const main = join(folder, "main.ts");
    const mark = join(folder, "ended");
    Deno.writeTextFileSync(
      main,
      `console.log("up"); for await (const _ of Deno.stdin.readable); Deno.writeTextFileSync(${
        JSON.stringify(mark)
      }, "");`,
    );
    const supervisor = join(folder, "supervisor.ts");
    Deno.writeTextFileSync(
      supervisor,
      `import { SupervisedProcess } from ${JSON.stringify(new URL("./supervisor.ts", import.meta.url))};
       import { Output } from ${JSON.stringify(new URL("./output.ts", import.meta.url))};
       const args = ["run", "--no-config", "--allow-write", ${JSON.stringify(main)}];
       const options = { name: "child", program: Deno.execPath(), args, env: {}, ready: { line: "up" }, output: new Output() };
       await new SupervisedProcess(options).start();
       console.log("ready");`,
    );
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-run", supervisor],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = process.stdout.getReader();
    match(new TextDecoder().decode((await reader.read()).value), /ready/);
    process.kill("SIGKILL");
    await process.status;
    await reader.cancel();
    await until("the end of the child", 2_000, () => {
      try {
        return Deno.statSync(mark).isFile;
      } catch {
        return false;
      }
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
