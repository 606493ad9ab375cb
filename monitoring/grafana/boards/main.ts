/**
 * `deno task dashboards [--check]`: Grafana's boards, ../dashboards/*.json, from the code in this folder. With --check it only looks, and
 * exits 1 where they are stale.
 */

import type { Board } from "./board.ts";
import { buildBoard } from "./build_board.ts";
import { delivery } from "./delivery.ts";
import { gateway } from "./gateway.ts";
import { mailAndAvatars } from "./mail_and_avatars.ts";
import { overview } from "./overview.ts";
import { readRunbook } from "./runbook.ts";
import { runtime } from "./runtime.ts";
import { services } from "./services.ts";
import { transactions } from "./transactions.ts";

const BOARDS: readonly Board[] = [overview, delivery, transactions, gateway, services, mailAndAvatars, runtime];
const FOLDER = new URL("../dashboards/", import.meta.url);

/** The text of each file, by its name. */
export function generateBoards(): Map<string, string> {
  const { board, links } = readRunbook();
  return new Map(
    [...BOARDS, board].map((one) => [`${one.id}.json`, `${JSON.stringify(buildBoard(one, links), null, 2)}\n`]),
  );
}

/** Files that are missing, differ, or are there without a board. */
function stale(generated: ReadonlyMap<string, string>): string[] {
  const present = new Set(Array.from(Deno.readDirSync(FOLDER), ({ name }) => name));
  return [...new Set([...present, ...generated.keys()])].filter((name) =>
    !present.has(name) || Deno.readTextFileSync(new URL(name, FOLDER)) !== generated.get(name)
  );
}

if (import.meta.main) {
  const generated = generateBoards();
  const names = stale(generated);
  if (!Deno.args.includes("--check")) {
    for (const name of names) {
      const text = generated.get(name);
      if (text === undefined) await Deno.remove(new URL(name, FOLDER));
      else await Deno.writeTextFile(new URL(name, FOLDER), text);
    }
  } else if (names.length > 0) {
    console.error(`monitoring/grafana/dashboards: ${names.join(", ")} stale: deno task dashboards`);
    Deno.exit(1);
  }
}
