import assert from "node:assert/strict";
import { Lifetime } from "./guards/lifetime.ts";
import { SameQueries } from "./same_queries.ts";

const LIFETIME = new Lifetime(1_000);

Deno.test("same queries - of one turn are executed once, at its end; of the next turn anew", async () => {
  const same = new SameQueries();
  let executed = 0;
  const execute = () => Promise.resolve({ data: { executed: ++executed } });
  const first = same.run("a", LIFETIME, execute);
  const other = same.run("b", LIFETIME, execute);
  assert.equal(same.get("a")!.answer, first);
  assert.equal(executed, 0);
  assert.deepEqual(await Promise.all([first, other]), [{ data: { executed: 1 } }, { data: { executed: 2 } }]);
  assert.equal(same.get("a"), undefined, "what has begun is joined by nobody");
  assert.deepEqual(await same.run("a", LIFETIME, execute), { data: { executed: 3 } });
});

Deno.test("same queries - one that fails, at once or later, fails for those who share it and for no other", async () => {
  const same = new SameQueries();
  const failed = same.run("a", LIFETIME, () => {
    throw new Error("at once");
  });
  const shared = same.get("a")!.answer;
  const later = same.run("b", LIFETIME, () => Promise.reject(new Error("later")));
  const fine = same.run("c", LIFETIME, () => ({ data: null }));
  await assert.rejects(failed, /at once/);
  await assert.rejects(shared, /at once/);
  await assert.rejects(later, /later/);
  assert.deepEqual(await fine, { data: null });
});
