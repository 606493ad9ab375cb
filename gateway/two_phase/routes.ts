/** What participants and people ask of a transaction. Looking changes nothing; inquiring decides what is undecided. */

import { crashPoint } from "../../kit/crash_points.ts";
import * as v from "valibot";
import { allowMember, type App, readJson } from "../../kit/http.ts";
import { checkTransactionId } from "../../kit/participant/transaction_id.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DecisionLog } from "./decision_log.ts";
import type { RequiredParticipants } from "./required.ts";

const UNFINISHED = v.object({ ids: v.pipe(v.array(v.string()), v.maxLength(1_000)) });

export function serveTransactions(
  app: App,
  secret: string,
  coordinator: Coordinator,
  decisions: DecisionLog,
  required: RequiredParticipants,
): void {
  app.get("/api/transactions/:id", async (c) => {
    allowMember(c, secret);
    const id = checkTransactionId(c.req.param("id"));
    return c.json({ state: await decisions.read(id) ?? "pending" });
  });

  app.post("/api/transactions/:id/inquire", async (c) => {
    allowMember(c, secret);
    const id = checkTransactionId(c.req.param("id"));
    if (coordinator.isDeciding(id)) return c.json({ state: await decisions.read(id) ?? "pending" });
    // The row is there before the answer, so that a coordinator that decides late loses.
    crashPoint("gateway: before an inquiry decides");
    const state = await decisions.decide(id, "aborted", []);
    crashPoint("gateway: before an inquiry is answered");
    return c.json({ state });
  });

  // What a participant may not forget yet.
  app.post("/api/transactions/unfinished", async (c) => {
    allowMember(c, secret);
    const { ids } = await readJson(c, UNFINISHED);
    return c.json({ unfinished: await decisions.unfinishedAmong(ids) });
  });

  app.delete("/api/participants/:service/:operation", async (c) => {
    allowMember(c, secret);
    return c.json({ wasRequired: await required.withdraw(c.req.param("service"), c.req.param("operation")) });
  });
}
