/** The command line of `deno task demo`. */

import { parseArgs } from "node:util";
import { reason } from "../kit/directory.ts";
import { MOST_PEOPLE } from "./names.ts";
import { MOST_TOPICS } from "./writer.ts";

export interface DemoOptions {
  /** Of the gateway, without a slash at the end; undefined is where the settings say. */
  readonly url: string | undefined;
  readonly people: number;
  readonly topics: number;
  /** Notifications. */
  readonly perMinute: number;
  readonly seed: number;
  readonly once: boolean;
}

const NUMBERS = {
  people: { least: 2, most: MOST_PEOPLE, usual: 16, what: "how many people there are" },
  topics: { least: 1, most: MOST_TOPICS, usual: 12, what: "how many topics" },
  "per-minute": { least: 1, most: 1_000, usual: 12, what: "how many notifications are sent in a minute" },
  seed: { least: 0, most: 1_000_000_000, usual: 1, what: "another one makes other people and other texts" },
} as const;

export const HELP = `deno task demo: fills the running system (deno task start) with people, topics and notifications

${
  Object.entries(NUMBERS).map(([name, { least, most, usual, what }]) =>
    `  --${`${name} N`.padEnd(14)} ${what}: ${least} to ${most} (${usual})`
  ).join("\n")
}
  --url URL        the gateway (NOTIFYX_PUBLIC_URL, or on this machine by NOTIFYX_BASE_PORT)
  --once           fill and end; otherwise it goes on until Ctrl-C
  --help           this

It uses the public API alone. Started again it goes on with the same people; their password is NOTIFYX_DEMO_PASSWORD
("correct horse battery"), which has to be set where the gateway isn't on this machine.`;

/** What `args` ask for, or the line that says what is wrong with them; undefined where they ask for help. */
export function parseOptions(args: readonly string[]): DemoOptions | { fault: string } | undefined {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      args: [...args],
      options: {
        url: text,
        people: text,
        topics: text,
        "per-minute": text,
        seed: text,
        once: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) return undefined;
    const number = (name: keyof typeof NUMBERS) => {
      const { least, most, usual } = NUMBERS[name];
      const given = values[name];
      const value = given === undefined ? usual : /^\d{1,10}$/.test(given) ? Number(given) : NaN;
      if (value >= least && value <= most) return value;
      throw new Error(`--${name} is ${given}; it takes a whole number from ${least} to ${most}`);
    };
    if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? "")) {
      throw new Error(`--url is ${values.url}; it takes a URL that starts with http:// or https://`);
    }
    return {
      url: values.url?.replace(/(\/graphql)?\/*$/, ""),
      people: number("people"),
      topics: number("topics"),
      perMinute: number("per-minute"),
      seed: number("seed"),
      once: values.once ?? false,
    };
  } catch (error) {
    return { fault: `${reason(error)}; --help lists the options` };
  }
}
