/** Counts sends, as the second participant of sendNotification: starts the service. */

import * as v from "valibot";
import { COMMON_SETTINGS, DATABASE_SETTINGS, readConfig } from "../../kit/config.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { checkPreparedTransactions, type Operation, serveParticipant, statement } from "../../kit/participant/mod.ts";
import { runService } from "../../kit/service.ts";
import sdl from "../../schema/counter.graphql" with { type: "text" };
import { Fold } from "./fold.ts";
import { migrations } from "./migrations/mod.ts";
import { Counts } from "./store.ts";

const config = readConfig({ ...COMMON_SETTINGS, ...DATABASE_SETTINGS });

/** The most ids that the gateway asks for at once. */
const BATCH_LIMIT = 1_000;
const INPUT = v.object({ fromUserId: v.pipe(v.string(), v.check(isUuid, "no UUID")) });

const countSend: Operation = {
  prepare(transactionId, input) {
    const parsed = v.safeParse(INPUT, input);
    if (!parsed.success) throw new UserError("BAD_USER_INPUT", "input names no fromUserId");
    return [
      statement`insert into sends (transaction_id, user_id) values (${transactionId}, ${parsed.output.fromUserId})`,
    ];
  },
};

await runService({
  name: "counter",
  config,
  participates: ["sendNotification"],
  async setUp(service) {
    const sql = await service.database(config, migrations);
    await checkPreparedTransactions(sql);
    const counts = new Counts(sql);
    const fold = new Fold(counts, service.log);
    fold.start();
    service.onStop("the fold", () => fold.stop());
    await service.subgraph({
      sdl,
      resolvers: {
        Query: {
          // Also for who has no session yet: `register { user { sentCount } }`. Clients reach this only by a user that they may see.
          async _users(_: unknown, { ids }: { ids: string[] }) {
            if (ids.length > BATCH_LIMIT) {
              throw new UserError("BAD_USER_INPUT", `ids names at most ${BATCH_LIMIT} users`);
            }
            const sent = await counts.sent(ids);
            return ids.map((id, at) => ({ id, sentCount: sent[at] }));
          },
        },
      },
    });
    serveParticipant(service, await service.transactions(config), { sendNotification: countSend });
  },
});
