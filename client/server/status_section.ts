/** What the status page shows of the client. */

import type { StatusSection } from "../../kit/status_page.ts";
import type { AppFiles } from "./app_files.ts";
import type { Gateways } from "./gateways.ts";

export async function statusSection(files: AppFiles, gateways: Gateways): Promise<StatusSection> {
  const built = await files.current();
  return {
    title: "Client",
    columns: ["", ""],
    rows: [
      ["built", built === undefined ? "not yet: deno task client:build" : built.builtAt],
      ...gateways.inOrder().map((url) => ["gateway", `${url}${gateways.isSilent(url) ? " (no answer)" : ""}`]),
    ],
  };
}
