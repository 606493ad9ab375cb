/** Texts of the demo: the same by the same seed, every pattern filled in, within what the API takes. */

import assert from "node:assert/strict";
import { addresses, MOST_PEOPLE } from "./names.ts";
import { Random } from "./random.ts";
import { THEMES } from "./texts.ts";
import { MOST_TOPICS, subjects, write } from "./writer.ts";

Deno.test("demo - the same seed writes the same texts and makes the same people, another one others", () => {
  const all = (seed: string) => {
    const random = new Random(seed);
    return [addresses(20, random), THEMES.map(({ texts }) => write(random.pick(texts), random))];
  };
  assert.deepEqual(all("1"), all("1"));
  assert.notDeepEqual(all("1"), all("2"));
});

Deno.test("demo - each pattern is filled in, and has many forms", () => {
  const random = new Random("all");
  for (const pattern of THEMES.flatMap(({ texts }) => texts)) {
    const written = new Set(Array.from({ length: 50 }, () => write(pattern, random)));
    assert.ok(written.size > (pattern.includes("{") ? 2 : 0), pattern);
    for (const text of written) {
      assert.doesNotMatch(text, /[{}]|undefined|NaN/);
      assert.ok(text.length <= 10_000);
    }
  }
});

Deno.test("demo - as many people and topics as may be asked for are all different, and more people begin with the fewer", () => {
  const many = addresses(MOST_PEOPLE, new Random("people 1"));
  assert.equal(new Set(many).size, MOST_PEOPLE);
  assert.deepEqual(addresses(5, new Random("people 1")), many.slice(0, 5));
  const names = subjects(MOST_TOPICS).map(({ name }) => name);
  assert.equal(new Set(names).size, MOST_TOPICS);
  assert.ok(names.every((name) => name.length <= 100));
});
