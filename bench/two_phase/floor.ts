/**
 * The floor: one program that does the same SQL as a send, with the same code and no network but the database's own. Arguments: URL of the
 * server, senders, warm-up seconds, seconds. Prints its figures as JSON.
 */

import { connect, databaseUrl } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";
import { Barrier } from "../../kit/participant/barrier.ts";
import { statement } from "../../kit/participant/mod.ts";
import { DecisionLog } from "../../gateway/two_phase/decision_log.ts";
import { load } from "../lib/figures.ts";

const [serverUrl, senders, warmUp, seconds, topicId, fromUserId] = Deno.args as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const pool = 16;
const notifications = connect(databaseUrl(serverUrl, "notifications"), "bench", pool);
const counter = connect(databaseUrl(serverUrl, "counter"), "bench", pool);
const gateway = connect(databaseUrl(serverUrl, "gateway"), "bench", pool);
const participants = [new Barrier(notifications, "notifications"), new Barrier(counter, "counter")] as const;
// What this program decides is left to it by the gateway that runs beside it.
await gateway`insert into leases values ('floor', now() + interval '1 hour') on conflict (gateway_id) do update set until = excluded.until`;
const decisions = new DecisionLog(gateway, "floor");

const figures = await load(Number(senders), Number(warmUp), Number(seconds), async () => {
  const id = newId();
  await Promise.all([
    participants[0].prepare(id, [
      statement`select prepare_notification(${id}, ${topicId}, ${fromUserId}, ${"hello"}, ${[]}::uuid[])`,
    ]),
    participants[1].prepare(
      id,
      [statement`insert into sends (transaction_id, user_id) values (${id}, ${fromUserId})`],
    ),
  ]);
  await decisions.decide(id, "committed", ["notifications", "counter"]);
  await Promise.all(participants.map((participant) => participant.commit(id)));
  decisions.finished(id);
});
await decisions.flush();
await Promise.all([notifications, counter, gateway].map((sql) => sql.end({ timeout: 2 })));
console.log(JSON.stringify(figures));
