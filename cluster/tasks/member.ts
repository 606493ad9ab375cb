/** What a task that speaks to the running system needs: where its gateway, discovery and database are, and the cluster's secret. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COMMON_SETTINGS, DATABASE_SETTINGS, readConfig } from "../../kit/config.ts";
import { PORT_OFFSETS } from "../../kit/ports.ts";
import * as v from "valibot";

const DATA = fileURLToPath(new URL("../../.data", import.meta.url));

export interface Member {
  readonly gatewayUrl: string;
  readonly discoveryUrls: readonly string[];
  readonly secret: string;
  readonly databaseUrl: string;
}

/** From the settings, else from what `deno task start` keeps under `.data/`. Ends the process with one line where neither says. */
export function member(): Member {
  const config = readConfig({
    NOTIFYX_BASE_PORT: COMMON_SETTINGS.NOTIFYX_BASE_PORT,
    NOTIFYX_GATEWAY_URL: COMMON_SETTINGS.NOTIFYX_URL,
    NOTIFYX_DISCOVERY_URLS: COMMON_SETTINGS.NOTIFYX_DISCOVERY_URLS,
    NOTIFYX_CLUSTER_SECRET: v.optional(COMMON_SETTINGS.NOTIFYX_CLUSTER_SECRET),
    NOTIFYX_DATABASE_URL: v.optional(DATABASE_SETTINGS.NOTIFYX_DATABASE_URL.wrapped),
  });
  const basePort = config.NOTIFYX_BASE_PORT;
  return {
    gatewayUrl: config.NOTIFYX_GATEWAY_URL?.replace(/\/+$/, "") ?? `http://127.0.0.1:${basePort}`,
    discoveryUrls: config.NOTIFYX_DISCOVERY_URLS ?? [`http://127.0.0.1:${basePort + PORT_OFFSETS.discovery}`],
    // Not every task needs both: who has the one can do what needs no more.
    get secret() {
      return config.NOTIFYX_CLUSTER_SECRET ?? kept("cluster-secret", "NOTIFYX_CLUSTER_SECRET");
    },
    get databaseUrl() {
      return config.NOTIFYX_DATABASE_URL ??
        `postgres://postgres:${kept("postgres/password", "NOTIFYX_DATABASE_URL")}@127.0.0.1:${basePort + 900}`;
    },
  };
}

function kept(file: string, variable: string): string {
  try {
    return Deno.readTextFileSync(join(DATA, file)).trim();
  } catch {
    console.error(`${variable} is not set, and nothing was ever started in this checkout`);
    Deno.exit(2);
  }
}
