/** Avatars: a picture for everyone, drawn from their id. Starts the service. */

import { COMMON_SETTINGS, publicUrl, readConfig } from "../../kit/config.ts";
import { runService } from "../../kit/service.ts";
import sdl from "../../schema/avatar.graphql" with { type: "text" };
import { AVATAR_FIGURES } from "./figures.ts";
import { Gallery } from "./gallery.ts";
import { showState } from "./metrics.ts";
import { Pool } from "./pool.ts";
import { avatarResolvers } from "./resolvers.ts";
import { addAvatarRoutes } from "./routes.ts";
import { listenShort } from "./serve.ts";
import { AVATAR_SETTINGS } from "./settings.ts";
import { Sitters } from "./sitters.ts";
import { statusSection } from "./status_section.ts";

const config = readConfig({ ...COMMON_SETTINGS, ...AVATAR_SETTINGS });

await runService({
  name: "avatar",
  config,
  async setUp(service) {
    const { app, directory, log, secret } = service;
    const pool = new Pool({
      threads: config.NOTIFYX_AVATAR_WORKERS ?? navigator.hardwareConcurrency,
      mostWaiting: config.NOTIFYX_AVATAR_QUEUE,
      log,
    });
    service.onStop("the threads that draw", () => pool.stop());
    service.readyChecks.set("a thread that draws", () => pool.ready > 0);
    const gallery = new Gallery(pool, new Sitters(directory, secret), config.NOTIFYX_AVATAR_CACHE_BYTES);
    addAvatarRoutes(app, gallery);
    await service.subgraph({ sdl, resolvers: avatarResolvers(publicUrl(config)) });
    showState(gallery, pool);
    service.dashboard.figures.push(...AVATAR_FIGURES);
    service.statusPage.push(() => statusSection(gallery, pool));
    return listenShort(gallery);
  },
});
