/**
 * The settings of traces, by the names that OpenTelemetry has for them: what sets them for other programs sets them here. In: variables
 * that kit/config.ts reads and checks with its own. Without an endpoint there are no traces.
 */

import * as v from "valibot";
import { SAMPLERS } from "./sampler.ts";

const endpoint = v.pipe(
  v.string(),
  v.check(
    (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? "") && !/[?#]/.test(text),
    "the collector's URL, which starts with http:// or https:// and has no query",
  ),
);

const SHARE = "a number from 0 to 1";
const share = v.pipe(v.string(), v.regex(/^\d{0,3}\.?\d{1,9}$/, SHARE), v.transform(Number), v.maxValue(1, SHARE));

const DELAY = "a whole number from 1 to 60000";
const delay = v.pipe(v.string(), v.regex(/^[1-9]\d{0,4}$/, DELAY), v.transform(Number), v.maxValue(60_000, DELAY));

/** `name=value,name=value`; what is not plain in a value is percent-encoded. */
const pairs = v.pipe(
  v.string(),
  v.check((text) => readPairs(text) !== undefined, "pairs such as name=value, separated by commas"),
  v.transform((text) => readPairs(text)!),
);

function readPairs(text: string): Record<string, string> | undefined {
  const found = text.split(",").map((pair) => /^\s*([^\s=]+)\s*=\s*(.*?)\s*$/.exec(pair));
  try {
    return Object.fromEntries(found.map((pair) => [pair![1]!, decodeURIComponent(pair![2]!)]));
  } catch {
    return undefined;
  }
}

export const TRACING_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: v.optional(endpoint),
  OTEL_EXPORTER_OTLP_PROTOCOL: v.optional(
    v.picklist(["http/protobuf", "http/json"], "http/protobuf or http/json"),
    "http/protobuf",
  ),
  OTEL_EXPORTER_OTLP_HEADERS: v.optional(pairs),
  OTEL_TRACES_SAMPLER: v.optional(v.picklist(SAMPLERS, `one of ${SAMPLERS.join(", ")}`), "traceidratio"),
  OTEL_TRACES_SAMPLER_ARG: v.optional(share, "0.01"),
  /** How long spans are collected before they go out together, in milliseconds. */
  OTEL_BSP_SCHEDULE_DELAY: v.optional(delay, "5000"),
  OTEL_RESOURCE_ATTRIBUTES: v.optional(pairs),
};
