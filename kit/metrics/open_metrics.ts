/**
 * The metrics as OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), for who asks for that: the only text that has
 * exemplars. Prometheus does, others may not know it.
 */

import { type Metric, Registry, type RegistryContentType } from "prom-client";

export const OPEN_METRICS: RegistryContentType = Registry.OPENMETRICS_CONTENT_TYPE;

/** Whether an `Accept` takes it. */
export function takesOpenMetrics(accept: string | undefined): boolean {
  return accept?.includes("application/openmetrics-text") === true;
}

/** What is in `registry`, which stays as it is: prom-client takes `_total` off its counters' names for good where it writes this. */
export async function openMetrics(registry: Registry): Promise<string> {
  const open = new Registry();
  open.setContentType(OPEN_METRICS as never);
  for (const metric of registry.getMetricsAsArray() as unknown as Metric[]) open.registerMetric(readOnly(metric));
  return await open.metrics();
}

function readOnly(metric: Metric): Metric {
  const read = metric.get.bind(metric) as () => Promise<{ name: string }>;
  const { name, type } = metric as unknown as { name: string; type: string };
  const get = async () => {
    const found = await read();
    return { ...found, name: found.name.replace(/_total$/, "") };
  };
  return { name, type, get } as unknown as Metric;
}
