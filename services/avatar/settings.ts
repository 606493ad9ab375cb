/** The avatars' own settings. */

import * as v from "valibot";
import { whole } from "../../kit/config.ts";

export const AVATAR_SETTINGS = {
  /** Threads that draw; as many as the machine has cores by default. */
  NOTIFYX_AVATAR_WORKERS: v.optional(whole(1, 64)),
  /** Pictures that may wait to be drawn; 503 beyond. */
  NOTIFYX_AVATAR_QUEUE: v.optional(whole(1, 100_000), "500"),
  /** What drawn pictures may take of the memory. */
  NOTIFYX_AVATAR_CACHE_BYTES: v.optional(whole(0, 64 * 1024 ** 3), `${64 * 1024 ** 2}`),
};

export type AvatarConfig = v.InferOutput<v.ObjectSchema<typeof AVATAR_SETTINGS, undefined>>;
