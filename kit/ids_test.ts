import assert from "node:assert/strict";
import { isUuid, newId, timeOfId } from "./ids.ts";

Deno.test("ids - are UUIDs of version 7 that sort by the time they were made", () => {
  const early = newId(Date.parse("2026-01-01T00:00:00Z"));
  const late = newId(Date.parse("2026-01-01T00:00:00.001Z"));
  assert.match(early, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(parseInt(early.replaceAll("-", "").slice(0, 12), 16), Date.parse("2026-01-01T00:00:00Z"));
  assert.ok(early < late);
  assert.equal(new Set(Array.from({ length: 1_000 }, () => newId(0))).size, 1_000);
});

Deno.test("ids - a text is a UUID only in its usual form", () => {
  assert.ok(isUuid(newId()) && isUuid(crypto.randomUUID().toUpperCase()));
  for (
    const wrong of ["", "1", "x".repeat(36), `${newId()} `, `${newId()}\n`, `{${newId()}}`, newId().replaceAll("-", "")]
  ) {
    assert.ok(!isUuid(wrong), JSON.stringify(wrong));
  }
});

Deno.test("ids - an id tells when it was made", () => {
  assert.equal(timeOfId(newId(1_795_446_345_095)).getTime(), 1_795_446_345_095);
});
