/**
 * `deno task audit`: compares decision log, participants, notifications and counts, and says for each difference what to do. It only reads.
 * Exits 1 if anything differs. What is on its way at this moment is looked at again before it is called a difference.
 */

import { parseArgs } from "node:util";
import { connect, databaseUrl, type Sql } from "../../kit/database.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { type Databases, differences, type Finding } from "./audit_checks.ts";
import { otherDifferences } from "./audit_others.ts";
import { member } from "./member.ts";

const LOOK_EVERY_MS = SECOND;
const HELP = `deno task audit [--seconds N]

Compares decision log, participants, notifications and counts; exits 1 if they differ, 2 if they can't be read.
  --seconds N   for how long a difference has to last; 15 by default: within that time of everything being up, nothing is on its way`;

const { seconds, help } = parseArgs({
  args: Deno.args,
  options: { seconds: { type: "string", default: "15" }, help: { type: "boolean" } },
}).values;
if (help || !/^\d{1,4}$/.test(seconds)) {
  console.log(HELP);
  Deno.exit(help ? 0 : 2);
}
const own = member();
const serverUrl = own.databaseUrl;
const open = (service: string): Sql => connect(databaseUrl(serverUrl, service), "audit", 1);
const databases: Databases = {
  gateway: open("gateway"),
  notifications: open("notifications"),
  counter: open("counter"),
};

try {
  let found = await look();
  const giveUpAt = Date.now() + Number(seconds) * SECOND;
  while (found.length > 0 && Date.now() < giveUpAt) {
    await delay(LOOK_EVERY_MS);
    // Only what is there each time is a difference: the rest was on its way.
    const still = new Map((await look()).map((one) => [key(one), one]));
    found = found.flatMap((one) => still.get(key(one)) ?? []);
  }
  for (const { what, id, todo } of found) console.log(`${what}: ${id}\n    ${todo}`);
  console.log(found.length === 0 ? "nothing differs" : `${found.length} differences`);
  Deno.exitCode = found.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`the databases can't be read: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 2;
} finally {
  await Promise.all(Object.values(databases).map((sql) => sql.end({ timeout: 1 })));
}

async function look(): Promise<Finding[]> {
  return [...await differences(databases), ...await otherDifferences(databases.gateway, own)];
}

function key({ what, id }: Finding): string {
  return `${what} ${id}`;
}
