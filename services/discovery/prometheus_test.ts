import assert from "node:assert/strict";
import type { Instance } from "../../kit/directory.ts";
import { targetGroups } from "./prometheus.ts";

const DISCOVERY = ["http://10.0.0.1:4100"];

let count = 0;
function instance(service: string, url: string, said: Pick<Instance, "metrics"> = { metrics: true }): Instance {
  const time = "2026-01-01T00:00:00Z";
  const id = `${service}-${++count}`;
  return { id, service, url, participates: [], subgraph: false, ...said, startedAt: time, lastHeartbeatAt: time };
}

Deno.test("prometheus - targets go by their service, and discovery's own nodes are some", () => {
  const instances = [
    instance("gateway", "http://10.0.0.3:4000"),
    instance("gateway", "http://10.0.0.2:4000"),
    instance("auth", "http://auth:4200"),
  ];
  assert.deepEqual(targetGroups(instances, [...DISCOVERY, "http://10.0.0.2:4100"]), [
    { targets: ["10.0.0.1:4100", "10.0.0.2:4100"], labels: { job: "discovery" } },
    { targets: ["10.0.0.2:4000", "10.0.0.3:4000"], labels: { job: "gateway" } },
    { targets: ["auth:4200"], labels: { job: "auth" } },
  ]);
});

Deno.test("prometheus - who doesn't say that it serves /metrics is none", () => {
  const instances = [instance("weather", "http://w:80", {}), instance("rain", "http://r:1", { metrics: false })];
  assert.deepEqual(targetGroups(instances, DISCOVERY).map(({ labels }) => labels.job), ["discovery"]);
});

Deno.test("prometheus - a base with a path, https, no port, an IPv6 address, and one that was started again", () => {
  const instances = [
    instance("a", "https://a.example/base/"),
    instance("b", "http://[::1]:4000"),
    instance("b", "http://[::1]:4000"),
    instance("b", "http://b.example"),
  ];
  assert.deepEqual(targetGroups(instances, []), [
    { targets: ["a.example:443"], labels: { job: "a", __scheme__: "https", __metrics_path__: "/base/metrics" } },
    { targets: ["[::1]:4000", "b.example:80"], labels: { job: "b" } },
  ]);
});
