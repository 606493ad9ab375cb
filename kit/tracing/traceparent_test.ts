/** W3C's `traceparent`. */

import assert from "node:assert/strict";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

Deno.test("traceparent - says the trace, the span and whether it is sampled", () => {
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-01`), { traceId: TRACE, spanId: SPAN, sampled: true });
  for (const [flags, sampled] of [["00", false], ["02", false], ["03", true], ["ff", true]] as const) {
    assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-${flags}`)?.sampled, sampled, flags);
  }
  const text = formatTraceparent({ traceId: TRACE, spanId: SPAN });
  assert.deepEqual(parseTraceparent(text), { traceId: TRACE, spanId: SPAN, sampled: true });
});

Deno.test("traceparent - of a later version what is known is read; whatever else is malformed is none", () => {
  assert.equal(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`)?.traceId, TRACE);
  for (
    const wrong of [
      "",
      "x",
      7,
      null,
      undefined,
      {},
      [`00-${TRACE}-${SPAN}-01`],
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE}-${SPAN}-01\n`,
      `ff-${TRACE}-${SPAN}-01`,
      `00-${"0".repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE.slice(1)}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    ]
  ) assert.equal(parseTraceparent(wrong), undefined, `${wrong}`);
});
