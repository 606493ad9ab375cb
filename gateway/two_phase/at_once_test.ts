import assert from "node:assert/strict";
import { transactionsAtOnce } from "./at_once.ts";

Deno.test("at once - all gateways together never use up the prepared transactions of the server", () => {
  for (const maxPrepared of [3, 10, 100, 300, 1_000]) {
    for (const gateways of [1, 2, 3, 5]) {
      const atOnce = transactionsAtOnce(maxPrepared, gateways);
      assert.ok(atOnce >= 1 && atOnce <= 64);
      if (maxPrepared >= 10) {
        assert.ok(atOnce * gateways * 2 <= maxPrepared || atOnce === 1, `${maxPrepared} ${gateways}`);
      }
    }
  }
  assert.equal(transactionsAtOnce(300, 1), 64);
  assert.equal(transactionsAtOnce(300, 2), 60);
});
