/** All faults, in groups of those that are made at once: none of a group hides another of it. */

import type { Fault } from "./fault.ts";
import { connectionsTaken, databaseFrozen, diskFull, preparedLeft, slowWrites } from "./of_database.ts";
import { feedHalting, feedLocked, newEpoch, socketsFull } from "./of_delivery.ts";
import { contradiction, mailFrozen, manyPictures, smtpAway } from "./of_mail.ts";
import { authFrozen, frozen, killedThrice, manyBodies, stuttering, unreachable } from "./of_processes.ts";
import { damage, unconfirmed, undecided } from "./of_transactions.ts";

const counterFrozen = frozen("counter", [{ alert: "ServiceAway", labels: { job: "counter" } }, {
  alert: "SendsAborted",
}]);
const avatarFrozen = frozen("avatar", [{ alert: "InstanceDown", labels: { job: "avatar" } }], 1);
const notificationsFrozen = frozen("notifications", [
  { alert: "GatewayBehindFeed" },
  { alert: "ServiceAway", labels: { job: "notifications" } },
]);
const discoveryFrozen = frozen("discovery", [{ alert: "DiscoveryAway" }]);

/** These are made in each run of all tests; the others by `deno task test:alerts`. The feed is locked while sends still go on. */
export const SHORT: readonly Fault[] = [feedLocked, counterFrozen, socketsFull, diskFull];

export const SCENES: readonly (readonly Fault[])[] = [
  SHORT,
  [feedHalting, slowWrites, manyPictures, contradiction],
  [unreachable, stuttering("mail"), killedThrice("avatar"), connectionsTaken, preparedLeft],
  [authFrozen, avatarFrozen],
  [newEpoch, discoveryFrozen, smtpAway],
  [damage],
  [unconfirmed],
  [undecided],
  // Auth has to say how long a mail has waited.
  [mailFrozen, notificationsFrozen],
  [databaseFrozen],
  [manyBodies],
];
