import assert from "node:assert/strict";
import { connection, decodeCursor, encodeCursor, pageSize } from "./paging.ts";

const BAD_INPUT = { code: "BAD_USER_INPUT" };

Deno.test("paging - first is a number from 1 to 1,000, and 50 where it is null", () => {
  assert.equal(pageSize(1), 1);
  assert.equal(pageSize(1_000), 1_000);
  assert.equal(pageSize(null), 50);
  assert.equal(pageSize(undefined), 50);
  for (const wrong of [0, -1, 1_001, 10_000, 1.5, NaN]) assert.throws(() => pageSize(wrong), BAD_INPUT, `${wrong}`);
});

Deno.test("paging - a cursor gives back what it was made of", () => {
  for (const parts of [["a"], ["2026-01-01T00:00:00.000Z", "é 🙂"], [""]]) {
    assert.deepEqual(decodeCursor(encodeCursor(parts), parts.length), parts);
  }
});

Deno.test("paging - refuses a cursor that no list has made", () => {
  const wrong = [
    "",
    "x",
    "not base64!",
    "====",
    "a".repeat(1_000),
    encodeCursor(["a", "b"]),
    encodeCursor([]),
    encodeCursor(["a\0b"]),
    btoa("{}"),
    btoa('{"length":1,"0":"a"}'),
    btoa("[1]"),
    btoa("[null]"),
    btoa("null"),
    btoa('["\\ud800"]'),
    btoa("\xff\xfe"),
  ];
  for (const cursor of wrong) assert.throws(() => decodeCursor(cursor, 1), BAD_INPUT, JSON.stringify(cursor));
});

Deno.test("paging - a page knows whether more follow from the one row that was read beyond it", () => {
  const cursorOf = (row: string) => `<${row}>`;
  assert.deepEqual(connection(["a", "b", "c"], 2, cursorOf), {
    edges: [{ node: "a", cursor: "<a>" }, { node: "b", cursor: "<b>" }],
    pageInfo: { hasNextPage: true, endCursor: "<b>" },
  });
  assert.equal(connection(["a", "b"], 2, cursorOf).pageInfo.hasNextPage, false);
  assert.deepEqual(connection([], 2, cursorOf), { edges: [], pageInfo: { hasNextPage: false, endCursor: null } });
});
