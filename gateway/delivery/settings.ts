/** The settings of a gateway's sockets; what each means is in the README. */

import * as v from "valibot";
import { LIMITS_SETTING, whole } from "../../kit/config.ts";

const MOST_BYTES = 1024 ** 4;

export const SOCKET_SETTINGS = {
  ...LIMITS_SETTING,
  NOTIFYX_SOCKETS: v.optional(whole(1, 10_000_000), "20000"),
  NOTIFYX_SOCKETS_PER_USER: v.optional(whole(1, 10_000_000), "50"),
  NOTIFYX_SOCKETS_PER_ADDRESS: v.optional(whole(1, 10_000_000), "5000"),
  NOTIFYX_SOCKET_SUBSCRIPTIONS: v.optional(whole(1, 1_000_000), "100"),
  NOTIFYX_SOCKET_MESSAGES_PER_SECOND: v.optional(whole(1, 1_000_000), "100"),
  NOTIFYX_SOCKET_MESSAGES_BURST: v.optional(whole(1, 1_000_000), "300"),
  NOTIFYX_SOCKET_BUFFER_BYTES: v.optional(whole(16 * 1024, MOST_BYTES), `${1024 ** 2}`),
  NOTIFYX_SOCKET_BUFFERS_TOTAL_BYTES: v.optional(whole(1024 ** 2, MOST_BYTES), `${256 * 1024 ** 2}`),
  NOTIFYX_SOCKET_COMPRESSION: v.optional(v.picklist(["on", "off"], "on or off"), "off"),
  NOTIFYX_DRAIN_BATCH: v.optional(whole(1, 1_000_000), "500"),
  NOTIFYX_DRAIN_INTERVAL_MS: v.optional(whole(1, 60_000), "250"),
};

export type SocketConfig = v.InferOutput<v.ObjectSchema<typeof SOCKET_SETTINGS, undefined>>;
