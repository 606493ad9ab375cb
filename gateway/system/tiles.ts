/** What is shown of the whole system: figures of services, each over all of their processes. The keys are those of the services' figures. */

import type { Tile } from "../../kit/dashboard/dashboard.ts";
import type { Joined } from "../../kit/dashboard/history.ts";

export interface SystemTile extends Tile {
  readonly services: readonly string[];
  /** The key of the figure there. */
  readonly figure: string;
  /** Of what all processes see of one thing, as the depth of a queue, the highest. */
  readonly over: Exclude<Joined, "replace">;
}

export const SYSTEM_TILES: readonly SystemTile[] = [
  tile("gateway", "requests", "sum", "Requests", "perSecond"),
  tile("gateway", "failures", "sum", "Failures of ours", "perSecond"),
  tile("gateway", "p95", "most", "95\u00a0% answered within", "seconds"),
  tile("gateway", "sends", "sum", "Sends", "perSecond"),
  tile("gateway", "messages", "sum", "Messages to clients", "perSecond"),
  tile("gateway", "delivery", "most", "95\u00a0% delivered within", "seconds"),
  tile("gateway", "sockets", "sum", "Sockets", "count"),
  tile(["notifications", "counter"], "in_doubt", "most", "In doubt", "count"),
  tile("gateway", "feed_lag", "most", "Feed not heard for", "seconds"),
  tile("notifications", "pending", "most", "Oldest without a position", "seconds"),
  tile("auth", "logins", "sum", "Logins", "perSecond"),
  tile("mail", "queue", "most", "Mails waiting", "count"),
  tile("mail", "oldest", "most", "Oldest mail", "seconds"),
  tile("mail", "sent", "sum", "Mails sent", "perSecond"),
  tile("mail", "dead", "most", "Mails failed for good", "count"),
  tile("avatar", "pictures", "sum", "Avatars", "perSecond"),
  tile("avatar", "drawing", "most", "95\u00a0% drawn within", "seconds"),
  tile("discovery", "instances", "most", "Instances", "count"),
];

function tile(
  services: string | readonly string[],
  figure: string,
  over: SystemTile["over"],
  label: string,
  unit: Tile["unit"],
): SystemTile {
  const all = [services].flat();
  return { key: `${all[0]}.${figure}`, services: all, figure, over, label, unit };
}
