/** How a metric is written down in the catalogue (catalogue.ts). */

import type { ServiceName } from "../ports.ts";

/** Who has a metric, and which kinds of processes that are. */
export const HOLDERS = {
  "every process": ["gateway", "discovery", "auth", "notifications", "counter", "mail", "avatar", "client"],
  "every process with GraphQL": ["gateway", "auth", "notifications", "counter", "mail", "avatar"],
  "every process with a database": ["gateway", "auth", "notifications", "counter", "mail"],
  "participants": ["notifications", "counter"],
  "services that send mail": ["auth", "notifications"],
  "gateway": ["gateway"],
  "discovery": ["discovery"],
  "auth": ["auth"],
  "notifications": ["notifications"],
  "mail": ["mail"],
  "avatar": ["avatar"],
  "client": ["client"],
} as const satisfies Record<string, readonly ServiceName[]>;

export type Holder = keyof typeof HOLDERS;

export interface Definition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly of: Holder;
  /** What is measured, in the unit with which the name ends; of a gauge that is 0 or 1, what 1 means. */
  readonly help: string;
  /** Their values are few whatever people do: never a user, a topic, a document, an address or a name that a client gave. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

/** Names begin with `notifyx_` and end in their unit, a counter's in `_total` (Prometheus's conventions). */
export type Definitions = Readonly<Record<`notifyx_${string}`, Definition>>;
