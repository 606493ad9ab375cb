/** Faults between the two phases: who was to go on is gone, or says that it can't. */

import { callFor } from "../../kit/call.ts";
import type { CrashPoint } from "../../kit/crash_points.ts";
import { newId } from "../../kit/ids.ts";
import type { ServiceName } from "../../kit/ports.ts";
import { SECOND } from "../../kit/time.ts";
import { SECRET, type System, until } from "../helpers/system.ts";
import type { Fault } from "./fault.ts";
import { kill } from "./of_processes.ts";

/** The only gateway stands still between the votes and its decision; killed, it is started again, and an inquiry aborts the transaction. */
export const undecided: Fault = {
  what: "the gateway stands still between votes and decision",
  raises: [{ alert: "TransactionsInDoubt" }, { alert: "ServiceAway", labels: { job: "gateway" } }],
  async make({ system }, ends) {
    await arm(system, "gateway", "gateway: before the decision");
    ends.defer(() => kill(system, "gateway"));
    await until("something is prepared", async () => (await system.prepared()).length > 0);
  },
};

/** Counter stands still between the decision and its commit. */
export const unconfirmed: Fault = {
  what: "counter stands still between decision and commit",
  raises: [{ alert: "TransactionsUnfinished" }],
  async make({ system }, ends) {
    await arm(system, "counter", "participant: before COMMIT PREPARED");
    ends.defer(() => kill(system, "counter"));
  },
};

/** A decision of which no participant knows, as after a restore of their databases. */
export const damage: Fault = {
  what: "a decision that participants never prepared",
  raises: [{ alert: "TransactionDamaged" }],
  async make({ system }, ends) {
    const [id, log] = [newId(), system.database("gateway")];
    await log`insert into decisions (transaction_id, state, participants, done, owner)
      values (${id}, 'committed', '{notifications,counter}', false, 'a gateway that is gone')`;
    // What the runbook says.
    ends.defer(async () => {
      await log`update decisions set done = true where transaction_id = ${id}`;
      await kill(system, "gateway");
    });
  },
};

async function arm(system: System, kind: ServiceName, name: CrashPoint): Promise<void> {
  await callFor(`${system.url(kind)}/api/crash_points`, { body: { name }, secret: SECRET, limitMs: 5 * SECOND });
}
