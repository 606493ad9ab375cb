/** The settings of a gateway's guards; what each means is in the README. Defaults are sized for people, and for what apps ask for them. */

import * as v from "valibot";
import { whole } from "../../kit/config.ts";

const MOST = 1_000_000_000;

const file = v.pipe(
  v.string(),
  v.check((path) => /^\//.test(path) && !path.includes(","), "the absolute path of a file, without a comma"),
);

const addresses = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((part) => part.trim()).filter((part) => part !== "")),
  v.check((all) => all.every((one) => /^[\da-fA-F.:]+$/.test(one)), "addresses such as 10.0.0.1, separated by commas"),
);

export const GUARD_SETTINGS = {
  NOTIFYX_DOCUMENT_TOKENS: v.optional(whole(100, 100_000), "4000"),
  NOTIFYX_DOCUMENT_DEPTH: v.optional(whole(1, 1_000), "12"),
  NOTIFYX_DOCUMENT_FIELDS: v.optional(whole(1, 100_000), "500"),
  NOTIFYX_DOCUMENT_ALIASES: v.optional(whole(0, 100_000), "50"),
  NOTIFYX_DOCUMENT_DIRECTIVES: v.optional(whole(0, 100_000), "50"),
  NOTIFYX_DOCUMENT_COST: v.optional(whole(1, MOST), "100000"),
  NOTIFYX_BODY_BYTES: v.optional(whole(1024, 64 * 1024 ** 2), `${1024 ** 2}`),
  NOTIFYX_QUERY_SECONDS: v.optional(whole(1, 3600), "10"),
  NOTIFYX_INTROSPECTION: v.optional(v.picklist(["on", "off"], "on or off"), "on"),
  NOTIFYX_PERSISTED_DOCUMENTS: v.optional(whole(0, 1_000_000), "2000"),
  NOTIFYX_TRUSTED_DOCUMENTS: v.optional(file),
  NOTIFYX_TRUSTED_PROXIES: v.optional(addresses, ""),
  NOTIFYX_OPERATIONS_PER_MINUTE_OF_USER: v.optional(whole(1, MOST), "6000"),
  NOTIFYX_OPERATIONS_PER_MINUTE_OF_ADDRESS: v.optional(whole(1, MOST), "60000"),
  NOTIFYX_SIGN_INS_PER_MINUTE_OF_ACCOUNT: v.optional(whole(1, MOST), "20"),
  NOTIFYX_SIGN_INS_PER_MINUTE_OF_ADDRESS: v.optional(whole(1, MOST), "300"),
};

export type GuardConfig = v.InferOutput<v.ObjectSchema<typeof GUARD_SETTINGS, undefined>>;
