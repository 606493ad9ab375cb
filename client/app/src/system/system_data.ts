/** What the gateway says of all services, asked again while somebody looks. */

import { useQuery } from "@tanstack/react-query";
import type { api } from "../../../lib/mod.ts";
import { ask } from "../data/query_client.ts";

export type ServiceView =
  & Pick<api.Service, "name" | "inGraph" | "conflicts">
  & { readonly instances: readonly InstanceView[] };
export type InstanceView = Pick<
  api.ServiceInstance,
  | "id"
  | "url"
  | "startedAt"
  | "lastHeartbeatAt"
  | "version"
  | "calls"
  | "errors"
  | "health"
  | "breaker"
  | "p50Ms"
  | "p99Ms"
>;
export type TransactionsView = api.Transactions;
export type ChangeView = Pick<api.SchemaChange, "at" | "criticality" | "message">;

interface SystemView {
  readonly services: readonly ServiceView[];
  readonly transactions: TransactionsView;
  readonly schemaChanges: readonly ChangeView[];
}

const SYSTEM = `{
  services { name inGraph conflicts instances {
    id url startedAt lastHeartbeatAt version calls errors health breaker p50Ms p99Ms
  } }
  transactions { running committed aborted unconfirmed unconfirmedSince damaged }
  schemaChanges(first: 20) { at criticality message }
}`;
/** In milliseconds. */
const EVERY_MS = 3_000;

export function useSystem() {
  return useQuery({
    queryKey: ["system"],
    queryFn: () => ask<SystemView>(SYSTEM),
    refetchInterval: EVERY_MS,
    // The next one comes anyway, and what stands there is known to be old.
    retry: false,
  });
}

/** Whether the gateway asks it. */
export function isWell({ health, breaker }: InstanceView): boolean {
  return health === "UP" && breaker === "CLOSED";
}
