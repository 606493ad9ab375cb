/** The client: the web app's files, and the way from the app to the gateways, on one origin. Starts the process. */

import { COMMON_SETTINGS, readConfig } from "../../kit/config.ts";
import { listenWithSockets } from "../../kit/listen.ts";
import { Origins } from "../../kit/origins.ts";
import { runService } from "../../kit/service.ts";
import { builtFolder } from "../build/places.ts";
import { AppFiles } from "./app_files.ts";
import { CLIENT_FIGURES } from "./figures.ts";
import { serveFiles } from "./files_route.ts";
import { Gateways } from "./gateways.ts";
import { serveProxy } from "./proxy.ts";
import { SessionCookie } from "./session_cookie.ts";
import { serveSession } from "./session_route.ts";
import { CLIENT_SETTINGS } from "./settings.ts";
import { serveSockets } from "./sockets.ts";
import { statusSection } from "./status_section.ts";
import { fileURLToPath } from "node:url";

const config = readConfig({ ...COMMON_SETTINGS, ...CLIENT_SETTINGS });
const clientUrl = config.NOTIFYX_CLIENT_URL;
const isSecure = clientUrl?.startsWith("https:") ?? false;

await runService({
  name: "client",
  config,
  setUp(service) {
    const { app, directory, leaving, log, secret } = service;
    const origins = new Origins(clientUrl === undefined ? [] : [new URL(clientUrl).origin], "NOTIFYX_CLIENT_URL");
    const cookie = new SessionCookie(service.port, isSecure);
    const gateways = new Gateways(directory, secret);
    service.onStop("connections to gateways", () => gateways.close());
    const files = new AppFiles(builtFolder(fileURLToPath(new URL("../..", import.meta.url))));

    serveSession(app, { gateways, cookie, origins });
    serveProxy(app, { gateways, cookie, origins });
    serveFiles(app, files, isSecure);
    service.readyChecks.set("a gateway", () => directory.instances("gateway").length > 0);
    service.dashboard.figures.push(...CLIENT_FIGURES);
    service.statusPage.push(() => statusSection(files, gateways));
    return Promise.resolve(
      listenWithSockets((server) => serveSockets(server, { gateways, cookie, origins, log }), { leaving }),
    );
  },
});
