/** What the status page says of avatars. */

import type { StatusSection } from "../../kit/status_page.ts";
import type { Gallery } from "./gallery.ts";
import { counts } from "./metrics.ts";
import type { Pool } from "./pool.ts";

export async function statusSection(gallery: Gallery, pool: Pool): Promise<StatusSection> {
  return {
    title: "Avatars",
    columns: ["", ""],
    rows: [
      ["kept", `${gallery.count} pictures, ${(gallery.bytes / 1024 ** 2).toFixed(1)} MiB`],
      ["threads that draw", `${pool.ready} of ${pool.threads} ready, ${pool.busy} busy`],
      ["waiting to be drawn", pool.waiting],
      ...await counts(),
    ],
  };
}
