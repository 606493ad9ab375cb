/** Of this code, as each process registers it. */

import deno from "../deno.json" with { type: "json" };

export const VERSION: string = deno.version;
