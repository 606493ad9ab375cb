/**
 * Many mails wait while nodes are killed and stopped, and connections cut and given up. The server sees never more connections at a time
 * than the settings allow, in all and of one node.
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { delay, MINUTE } from "../../kit/time.ts";
import { type Connection, type Deal, mostAtOnce, SmtpSink } from "../helpers/smtp_sink.ts";
import { startSystem, until } from "../helpers/system.ts";
import { Random } from "../soak/random.ts";
import { handOver, strikeDown } from "./members.ts";

export interface LimitsOptions {
  readonly mails: number;
  readonly nodes: number;
  /** How many are killed or told to stop on the way. */
  readonly gone: number;
}

const CONNECTIONS_PER_NODE = 3;
/** Of the server's answers, in milliseconds. */
const DELAY_MS = 10;

export async function limits({ mails, nodes, gone }: LimitsOptions): Promise<void> {
  const random = Random.seeded();
  console.log(`seed ${random.seed}: NOTIFYX_TEST_SEED=${random.seed} does the same`);
  // One fewer than the nodes might have by their own limit: both are reached.
  const most = nodes * CONNECTIONS_PER_NODE - 1;
  await using sink = await SmtpSink.start({ deal: dealing(random) });
  await using system = await startSystem({
    counts: { mail: nodes, gateway: 0, notifications: 0, counter: 0, avatar: 0 },
    env: {
      NOTIFYX_SMTP_URL: sink.url,
      NOTIFYX_MAIL_CONNECTIONS: `${most}`,
      NOTIFYX_MAIL_CONNECTIONS_PER_NODE: `${CONNECTIONS_PER_NODE}`,
      NOTIFYX_MAIL_SECONDS: "3",
      NOTIFYX_MAIL_RETRY_SECONDS: "1",
      NOTIFYX_MAIL_RETRY_MOST_SECONDS: "2",
    },
  });
  await handOver(system, Array(mails).fill("someone@example.org"));
  const queued = mails - sink.received.length;
  const going = system.cluster.nodes.filter(({ kind }) => kind.kind === "mail");
  for (let nth = 1; nth <= gone; nth++) {
    await until("more is sent", () => sink.received.length > mails * nth / (gone + 1), 3 * MINUTE);
    const { process } = random.pick(going);
    if (process.state === "ready") strikeDown(process, random.pick(["SIGKILL", "SIGTERM"]));
  }
  const sql = system.database("mail");
  await until("all are sent", async () => {
    const [left] = await sql`select count(*) as count from emails where status <> 'SENT'`;
    return left!.count === 0;
  }, 5 * MINUTE);

  // Who sent a mail is known where it was sent once.
  const senders = new Map(
    (await sql`select id, node_id from emails where attempts = 1`).map((
      row,
    ) => [row.id as string, row.node_id as string]),
  );
  const byNode = new Map<string, Set<Connection>>();
  for (const { messageId, connection } of sink.received) {
    const node = senders.get(messageId.replace(/^<|@localhost>$/g, ""));
    if (node === undefined) continue;
    if (!byNode.has(node)) byNode.set(node, new Set());
    byNode.get(node)!.add(connection);
  }
  const inAll = mostAtOnce(sink.connections);
  const ofNode = Math.max(...[...byNode.values()].map(mostAtOnce));
  console.log(
    `${queued} of ${mails} mails waited, ${gone} nodes went and came, ${byNode.size} sent; connections at a time: ${inAll} of ` +
      `${most}, of one node ${ofNode} of ${CONNECTIONS_PER_NODE}`,
  );
  ok(inAll <= most, `${inAll} connections at a time`);
  ok(ofNode <= CONNECTIONS_PER_NODE, `${ofNode} connections of one node at a time`);
  // Else nothing was shown.
  deepEqual([inAll, ofNode], [most, CONNECTIONS_PER_NODE]);
  equal(new Set(sink.ids()).size, mails);
}

/** Now and then it cuts, or doesn't answer: then another connection takes that one's place. */
function dealing(random: Random): Deal {
  return async () => {
    const chance = random.next();
    if (chance < 0.01) await new Promise(() => {});
    await delay(DELAY_MS);
    return chance < 0.02 ? "cut" : undefined;
  };
}
