/** The command line of `deno task start`. */

import { NODE_KINDS } from "./nodes.ts";

export interface StartOptions {
  /** How many nodes of each kind. */
  readonly counts: Readonly<Record<string, number>>;
  readonly timings: boolean;
  readonly help: boolean;
}

/** Kinds are a hundred ports apart. */
const MOST_NODES = 99;

export const HELP = `deno task start: the whole system on this machine

${
  NODE_KINDS.map(({ kind, option }) => `  --${`${option} N`.padEnd(20)} how many ${kind} nodes, 0 to ${MOST_NODES} (1)`)
    .join("\n")
}
  --timings              say what each part of the start took
  --help                 this

Settings are environment variables: NOTIFYX_BASE_PORT (4000) moves all ports together, NOTIFYX_DATABASE_URL takes the
place of the embedded PostgreSQL, NOTIFYX_STOP_SECONDS is how long a stop may take (10; on a terminal 3).`;

/** What `args` ask for, or the line that says what is wrong with them. */
export function parseOptions(args: readonly string[]): StartOptions | { fault: string } {
  const counts: Record<string, number> = Object.fromEntries(NODE_KINDS.map(({ kind }) => [kind, 1]));
  let timings = false;
  let help = false;
  for (let index = 0; index < args.length; index++) {
    const [flag = "", inline] = splitOnce(args[index] ?? "");
    const node = NODE_KINDS.find(({ option }) => flag === `--${option}`);
    if (node !== undefined) {
      const value = inline ?? args[++index];
      if (value === undefined || !/^\d{1,2}$/.test(value)) {
        return {
          fault: `${flag} ${value === undefined ? "has no number" : `is ${value}`}; it takes 0 to ${MOST_NODES}`,
        };
      }
      counts[node.kind] = Number(value);
    } else if (flag === "--timings" && inline === undefined) timings = true;
    else if ((flag === "--help" || flag === "-h") && inline === undefined) help = true;
    else return { fault: `unknown option ${args[index]}; --help lists the options` };
  }
  return { counts, timings, help };
}

function splitOnce(arg: string): [string, string | undefined] {
  const at = arg.indexOf("=");
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}
