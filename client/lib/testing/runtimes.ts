/** What runs JavaScript here besides browsers. */

import { withTimeLimit } from "../../../kit/time.ts";

export interface Runtime {
  readonly name: string;
  /** To which the program and its arguments are added; undefined where it isn't here. */
  readonly command: readonly string[] | undefined;
}

const DENO = [Deno.execPath(), "run", "--no-check", "--allow-net", "--allow-read", "--v8-flags=--expose-gc"];

/** Those that aren't here are said, once by each file. */
export function runtimes(what: string): readonly Runtime[] {
  // By its own path: npx doesn't pass signals on.
  const node = said(what, "Node", ["npx", "-y", "-p", "node@24", "node", "-p", "process.execPath"]);
  const bun = said(what, "Bun", ["bun", "--print", "process.execPath"]);
  return [
    { name: "Deno", command: DENO },
    { name: "Node", command: node === undefined ? undefined : [node, "--expose-gc"] },
    { name: "Bun", command: bun === undefined ? undefined : [bun, "run"] },
  ];
}

function said(what: string, name: string, [program, ...args]: string[]): string | undefined {
  let why: string;
  try {
    const { success, stdout, stderr } = new Deno.Command(program!, { args, stdin: "null" }).outputSync();
    if (success) return new TextDecoder().decode(stdout).trim();
    why = new TextDecoder().decode(stderr).trim().split("\n").at(-1)!;
  } catch (error) {
    why = (error as Error).message;
  }
  console.log(`${what} in ${name}: skipped, since it isn't here (${why})`);
}

export interface RunOptions {
  readonly cwd?: string;
  readonly limitMs: number;
  /** Sees all that was said so far, at each piece of it; `limit` sets how much longer it may take, in milliseconds. */
  readonly onOutput: (output: string, limit: (ms: number) => void) => void;
}

/** Runs a program to its end, which comes by force after its limit. */
export async function runIn({ command }: Runtime, program: readonly string[], { cwd, limitMs, onOutput }: RunOptions) {
  const [path, ...options] = command!;
  const args = [...options, ...program];
  const child = new Deno.Command(path!, { args, cwd, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill("SIGKILL"), ms);
  };
  limit(limitMs);
  const ended = child.status.finally(() => clearTimeout(timer));
  const errors = new Response(child.stderr).text();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) onOutput(output += text, limit);
  const { code, signal } = await withTimeLimit("the end of the program", limitMs, ended);
  return { code, signal, output, errors: await errors };
}
