/**
 * `deno task new-epoch`: after a database was restored from an older copy into the same server. Positions of the feed that were given
 * after that copy are given again, to other notifications; with a new epoch no cursor of before is taken for one of now.
 */

import { connect, databaseUrl } from "../../kit/database.ts";
import { reason } from "../../kit/directory.ts";
import { member } from "./member.ts";

if (Deno.args.length > 0) {
  console.log(
    "deno task new-epoch\n\nAfter the database of notifications was restored from an older copy: cursors that were given before become CURSOR_EXPIRED.",
  );
  Deno.exit(Deno.args[0] === "--help" ? 0 : 2);
}
const sql = connect(databaseUrl(member().databaseUrl, "notifications"), "new-epoch", 1);
try {
  await sql`update feed_head set epoch = substr(md5(gen_random_uuid()::text), 1, 12)`;
  console.log("a new epoch: cursors that were given before are CURSOR_EXPIRED");
} catch (error) {
  console.error(`there is no new epoch: ${reason(error)}`);
  Deno.exitCode = 1;
} finally {
  await sql.end({ timeout: 1 });
}
