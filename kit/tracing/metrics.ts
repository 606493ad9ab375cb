/** What traces measure of themselves. */

import { counter } from "../metrics.ts";

export const spans = counter("notifyx_trace_spans_total");
