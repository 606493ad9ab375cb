/** The client's own settings. */

import * as v from "valibot";
import { url } from "../../kit/config.ts";

export const CLIENT_SETTINGS = {
  /** Where people reach the client, such as `https://app.example`. With https its cookie is sent over TLS alone. */
  NOTIFYX_CLIENT_URL: v.optional(url("http:", "https:")),
};

export type ClientConfig = v.InferOutput<v.ObjectSchema<typeof CLIENT_SETTINGS, undefined>>;
