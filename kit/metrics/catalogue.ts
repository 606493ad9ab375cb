/**
 * Every metric that there is, each defined here and nowhere else: kit/metrics.ts makes them by their names, docs/metrics.md is generated
 * from it. Prometheus adds `job`, the kind of the process, and `instance`, its host and port.
 */

import { OF_DELIVERY } from "./of_delivery.ts";
import { OF_GATEWAY } from "./of_gateway.ts";
import { OF_PROCESSES } from "./of_processes.ts";
import { OF_SERVICES } from "./of_services.ts";

export const METRICS = { ...OF_PROCESSES, ...OF_GATEWAY, ...OF_DELIVERY, ...OF_SERVICES };

export type MetricName = keyof typeof METRICS;
