/** URLs of pictures, right and wrong. */

import assert from "node:assert/strict";
import { keyOf, pictureOf } from "./picture.ts";

const ID = "01a20f1e-2169-70dd-b9d1-d6cb2aa302cd";
const PATH = `/avatars/${ID}.png`;

Deno.test("picture - each part of a URL counts, in any order, and has its default", () => {
  const usual = { id: ID, size: 128, style: "GITHUB", format: "png" };
  assert.deepEqual(pictureOf(PATH, ""), usual);
  assert.deepEqual(pictureOf(`/avatars/${ID.toUpperCase()}.png`, "size=128"), usual);
  const other = { id: ID, size: 16, style: "INITIALS", format: "svg" };
  assert.deepEqual(pictureOf(PATH, "style=INITIALS&format=svg&size=16"), other);
  assert.deepEqual(pictureOf(PATH, "size=0512"), { ...usual, size: 512 });
  assert.equal(new Set([keyOf(pictureOf(PATH, "")), keyOf(pictureOf(PATH, "size=0128"))]).size, 1);
  assert.notEqual(keyOf(pictureOf(PATH, "")), keyOf(pictureOf(PATH, "format=svg")));
});

Deno.test("picture - NOT_FOUND for what is no id", () => {
  for (
    const path of ["/avatars/.png", "/avatars/me.png", `/avatars/${ID}`, `/avatars/${ID}.gif`, `/avatars/${ID}0.png`]
  ) {
    assert.throws(() => pictureOf(path, ""), { code: "NOT_FOUND" }, path);
  }
});

Deno.test("picture - BAD_USER_INPUT, in one line, for a wrong value and for what is no parameter", () => {
  const wrong = {
    size: ["15", "513", "-16", "16.5", "1e2", "", "x", "NaN", "00128", "+64", "٦٤"],
    style: ["", "github", "GITHUB ", "toString", "__proto__"],
    format: ["", "PNG", "jpg"],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.throws(() => pictureOf(PATH, `${name}=${encodeURIComponent(value)}`), (error) => {
        const { code, message } = error as { code: string; message: string };
        assert.deepEqual([code, message.includes("\n")], ["BAD_USER_INPUT", false]);
        assert.match(message, new RegExp(`^${name} takes`));
        return true;
      });
    }
  }
  for (const query of ["x=1", "size=64&size=64", "Size=64", "__proto__=1", "constructor=1", "size=64&", "=1", "&"]) {
    const isFine = query === "size=64&" || query === "&";
    if (isFine) pictureOf(PATH, query);
    else assert.throws(() => pictureOf(PATH, query), { code: "BAD_USER_INPUT" }, query);
  }
});
