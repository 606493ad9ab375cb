/** The embedded PostgreSQL through what happens to it: first starts, kills, restarts. */

import { equal, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { delay } from "../../kit/time.ts";
import { Output } from "../output.ts";
import { type Postgres, startPrivatePostgres } from "./mod.ts";
import { unprivilegedUser } from "./layout.ts";
import { readPostmaster } from "./postmaster_pid.ts";

/** Runs `work` on a connection of its own. */
async function connected<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function isAlive(pid: number): boolean {
  // Whoever inherits an orphan may be slow to bury it; until then its number still takes signals.
  if (Deno.build.os === "linux") {
    try {
      return !/\) Z/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
  return new Deno.Command("kill", { args: ["-0", String(pid)], stderr: "null" }).outputSync().success;
}

async function until(what: string, check: () => boolean): Promise<void> {
  const from = performance.now();
  while (!check()) {
    ok(performance.now() - from < 10_000, `${what} took longer than 10 s`);
    await delay(10);
  }
}

/** Kills a process, and waits for the server that comes after. */
async function killAndRecover(server: Postgres, pid: number): Promise<void> {
  const { starts } = server.process;
  Deno.kill(pid, "SIGKILL");
  await until("the restart", () => server.process.starts > starts && server.process.state === "ready");
}

Deno.test("postgres - serves from nothing, with prepared transactions, to its password only", async () => {
  await using server = await startPrivatePostgres();
  await connected(server.url, async (sql) => {
    const [settings] = await sql`select current_setting('max_prepared_transactions')::int as prepared,
      current_setting('max_connections')::int as connections, current_setting('listen_addresses') as addresses`;
    ok(settings?.prepared >= settings?.connections);
    equal(settings?.addresses, "127.0.0.1");
  });
  const url = new URL(server.url);
  url.password = "wrong";
  await rejects(connected(url.href, (sql) => sql`select 1`), { code: "28P01" });
});

Deno.test("postgres - leaves no process, and no file of a private one", async () => {
  const server = await startPrivatePostgres();
  const pid = readPostmaster(server.data)?.pid;
  ok(pid !== undefined && isAlive(pid));
  await server.stop();
  equal(isAlive(pid), false);
  await rejects(Deno.stat(server.data), Deno.errors.NotFound);
});

Deno.test("postgres - killed with its guard or alone, it comes back with what was committed and prepared", async () => {
  let text = "";
  const output = new Output({
    colour: false,
    write: (bytes) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  await using server = await startPrivatePostgres({ output });
  await connected(server.url, async (sql) => {
    await sql`create table kept (id int)`;
    await sql.unsafe("begin; insert into kept values (1); prepare transaction 'test:1'");
  });

  const [guard, postmaster] = [server.process.pid, readPostmaster(server.data)?.pid];
  ok(guard !== undefined && postmaster !== undefined);
  await killAndRecover(server, guard);
  equal(isAlive(postmaster), false, "the server of the killed guard is stopped before the next one starts");

  const second = readPostmaster(server.data)?.pid;
  ok(second !== undefined);
  await killAndRecover(server, second);
  match(text, /postgres ended: SIGKILL/);

  await connected(server.url, async (sql) => {
    equal((await sql`select gid from pg_prepared_xacts`)[0]?.gid, "test:1");
    await sql`commit prepared 'test:1'`;
    equal((await sql`select id from kept`).length, 1);
  });
});

Deno.test("postgres - a stale postmaster.pid with the number of another program harms neither", async () => {
  await using server = await startPrivatePostgres();
  const user = unprivilegedUser();
  // The same user as the server's: a server that starts takes its own user's process for another server.
  const bystander = new Deno.Command("sleep", { args: ["60"], cwd: "/", uid: user?.uid, gid: user?.gid }).spawn();
  try {
    const file = join(server.data, "postmaster.pid");
    const first = readPostmaster(server.data)?.pid;
    ok(first !== undefined && server.process.pid !== undefined);
    const text = Deno.readTextFileSync(file);
    // The guard first, so that the next one finds the file as we leave it.
    const { starts } = server.process;
    Deno.kill(first, "SIGSTOP");
    Deno.kill(server.process.pid, "SIGKILL");
    Deno.writeTextFileSync(file, text.replace(String(first), String(bystander.pid)));
    Deno.kill(first, "SIGKILL");
    await until("the restart", () => server.process.starts > starts && server.process.state === "ready");
    ok(isAlive(bystander.pid));
    equal((await connected(server.url, (sql) => sql`select 1 as one`))[0]?.one, 1);
  } finally {
    bystander.kill("SIGKILL");
    await bystander.status;
  }
});

Deno.test("postgres - a private one goes away with a test that is killed", async () => {
  const program = `import { startPrivatePostgres } from ${JSON.stringify(new URL("./mod.ts", import.meta.url))};
    const server = await startPrivatePostgres();
    console.log(server.data);
    setInterval(() => {}, 1000);`;
  const test = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", `data:application/typescript,${encodeURIComponent(program)}`],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = test.stdout.getReader();
  const data = new TextDecoder().decode((await reader.read()).value).trim();
  const pid = readPostmaster(data)?.pid;
  ok(pid !== undefined && isAlive(pid));
  test.kill("SIGKILL");
  await test.status;
  await reader.cancel();
  const folder = join(data, "..", "..");
  await until("the end of the server and its folder", () => {
    try {
      Deno.statSync(folder);
      return false;
    } catch {
      return !isAlive(pid);
    }
  });
});
