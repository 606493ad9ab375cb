/** Discovery's routes for one instance, as a member of the cluster asks them. */

import { SECRET, type System } from "./system.ts";

/** PUT registers an instance and is its heartbeat, DELETE takes it out. @throws Error where discovery refuses it */
export async function askDiscovery(
  system: System,
  method: "PUT" | "DELETE",
  id: string,
  body?: unknown,
): Promise<void> {
  const response = await fetch(`${system.url("discovery")}/api/instances/${id}`, {
    method,
    headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${response.status} from discovery`);
}
