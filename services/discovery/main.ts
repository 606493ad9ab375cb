/** Discovery: who is there. Processes announce themselves here and renew a lease; everyone follows the watch stream. */

import { COMMON_SETTINGS, readConfig } from "../../kit/config.ts";
import { runService } from "../../kit/service.ts";
import { SECOND } from "../../kit/time.ts";
import { DISCOVERY_FIGURES } from "./figures.ts";
import { countExpired, measureDiscovery } from "./metrics.ts";
import { Registry } from "./registry.ts";
import { addDiscoveryRoutes } from "./routes.ts";
import { Watchers } from "./watchers.ts";

/** Between two looks for leases that ran out, in milliseconds. */
const SWEEP_MS = SECOND / 4;

const config = readConfig(COMMON_SETTINGS);

await runService({
  name: "discovery",
  config,
  registers: false,
  setUp: (service) => {
    const watchers = new Watchers();
    const registry = new Registry({
      onChange: (change) => {
        if (change.event === "gone" && change.data.expired) countExpired(change.data.service);
        const { id, service: name } = change.data;
        service.log.info("{change}: {name} {id}", { change: change.event, name, id });
        watchers.send(change);
      },
    });
    measureDiscovery(registry, watchers);
    addDiscoveryRoutes(service.app, {
      registry,
      watchers,
      secret: service.secret,
      discoveryUrls: config.NOTIFYX_DISCOVERY_URLS ?? [service.url],
    });

    const sweep = setInterval(() => {
      for (const id of registry.dropExpired()) service.log.warning("{id} has not been heard of: dropped", { id });
    }, SWEEP_MS);
    // The streams are requests in flight, which the stop waits for.
    service.stopping.addEventListener("abort", () => watchers.close(), { once: true });
    service.onStop("the sweep", () => clearInterval(sweep));

    service.dashboard.figures.push(...DISCOVERY_FIGURES);
    service.statusPage.push(() => ({
      title: `${registry.count} live instances, ${watchers.count} watchers`,
      columns: ["service", "id", "url", "takes part in", "last heard"],
      rows: registry.view().services.flatMap(({ instances }) =>
        instances.map(({ service, id, url, participates, lastHeartbeatAt }) => [
          service,
          id,
          url,
          participates.join(", "),
          lastHeartbeatAt,
        ])
      ),
    }));
    return Promise.resolve();
  },
});
