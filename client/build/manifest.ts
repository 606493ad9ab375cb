/** What a build says of itself, for the server that serves it. */

import * as v from "valibot";

/** In the folder of the build; written last, so that what it names is there. */
export const BUILD_FILE = "build.json";

export const MANIFEST = v.object({
  /** Names the sources that it was built from. */
  fingerprint: v.string(),
  /** RFC 3339 */
  builtAt: v.string(),
  files: v.array(v.object({
    /** From the root of the site, such as `/assets/index-3f2a.js`. */
    path: v.pipe(v.string(), v.regex(/^\/[\w./-]+$/), v.check((path) => !path.includes(".."))),
    type: v.string(),
    /** By content encoding, what its name ends in besides. */
    encodings: v.record(v.string(), v.string()),
  })),
});
export type Manifest = v.InferOutput<typeof MANIFEST>;
