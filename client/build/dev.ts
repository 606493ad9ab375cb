/** `deno task client:dev`: the app from its sources, reloaded while one edits them; all else from the system that `deno task start` runs. */

import { COMMON_SETTINGS, readConfig } from "../../kit/config.ts";
import { PORT_OFFSETS } from "../../kit/ports.ts";
import { installPackages } from "./packages.ts";
import { viteFlags, viteProgram } from "./run_vite.ts";
import { fileURLToPath } from "node:url";

/** Beside the port of the client itself. */
const DEV_PORT_OFFSET = PORT_OFFSETS.client + 50;

const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/(?<=.)\/$/, "");
const { NOTIFYX_BASE_PORT: basePort } = readConfig({ NOTIFYX_BASE_PORT: COMMON_SETTINGS.NOTIFYX_BASE_PORT });
const port = basePort + DEV_PORT_OFFSET;
await installPackages(checkout);
const clientUrl = `http://127.0.0.1:${basePort + PORT_OFFSETS.client}`;
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "run",
    ...viteFlags(checkout),
    // It looks whether anyone has the port on any address.
    `--allow-net=127.0.0.1,localhost,0.0.0.0:${port},[::]:${port},[::1]:${port}`,
    viteProgram(checkout),
    "serve",
    `${port}`,
    clientUrl,
  ],
  cwd: checkout,
}).spawn().status;
Deno.exit(code);
