import assert from "node:assert/strict";
import fc from "fast-check";
import { withDatabase } from "../testing/database.ts";
import { statement } from "./statement.ts";

Deno.test("statement - PostgreSQL reads back every text, number and list that was put in", async () => {
  await withDatabase([], async (sql) => {
    const nasty = [
      "'",
      "''",
      "\\",
      "\\'",
      "';drop table x;--",
      "$1",
      "$$",
      "\n\r\t",
      "😀",
      "E'\\x27'",
      "%",
      "",
      "{",
      "NULL",
      "\\u0027",
    ];
    const text = fc.oneof(
      fc.constantFrom(...nasty),
      fc.array(fc.constantFrom(...nasty)).map((all) => all.join("")),
      fc.string({ unit: "grapheme" }),
    );
    const storable = text.filter((one) => !one.includes("\0") && one.isWellFormed());
    await fc.assert(
      fc.asyncProperty(storable, fc.array(storable, { maxLength: 5 }), fc.integer(), async (one, list, number) => {
        const [row] = await sql.unsafe(
          statement`select ${one}::text as one, ${list}::text[] as list, 1 - ${number}::int8 as number`,
        );
        assert.deepEqual({ ...row }, { one, list, number: 1 - number });
      }),
      { numRuns: 500 },
    );
  });
});

Deno.test("statement - refuses what PostgreSQL can't hold", () => {
  assert.throws(() => statement`select ${"a\0b"}`, { code: "BAD_USER_INPUT" });
  assert.throws(() => statement`select ${NaN}`, TypeError);
});
