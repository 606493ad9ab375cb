/** The instances of every service as the gateway's status page shows them: who answers, whose breaker is open, what waits where. */

import type { StatusSection } from "../../kit/status_page.ts";
import type { Balancer } from "../balancer.ts";

export function upstreamSection(balancer: Balancer): StatusSection {
  return {
    title: "Services, as this gateway sees them",
    columns: ["service", "url", "health", "breaker", "waiting"],
    rows: balancer.endpoints().map((endpoint) => {
      const { service, url } = endpoint.instance;
      const { health, breaker } = balancer.seen(endpoint.instance);
      return [service, url, health.toLowerCase(), breaker.toLowerCase(), endpoint.pending];
    }),
  };
}
