import assert from "node:assert/strict";
import type { Gauge } from "prom-client";
import { registry } from "../../kit/metrics.ts";
import { KnownUsers } from "./known_users.ts";

Deno.test("known users - each is read once, in the order of the ids; who is unknown is asked for again", async () => {
  const asked: (readonly string[])[] = [];
  const registered = new Set(["a", "b", "c"]);
  const users = new KnownUsers((ids) => {
    asked.push(ids);
    return Promise.resolve(
      ids.map((id) =>
        registered.has(id.toLowerCase()) ? { id: id.toLowerCase(), email: id, createdAt: new Date(0) } : null
      ),
    );
  });
  const ids = async (...of: string[]) => (await users.all(of)).map((user) => user?.id ?? null);
  assert.deepEqual(await ids("b", "z", "a", "b"), ["b", null, "a", "b"]);
  assert.deepEqual(await ids("a", "c", "z", "B"), ["a", "c", null, "b"]);
  registered.add("z");
  assert.deepEqual(await ids("z", "c"), ["z", "c"]);
  assert.equal((await users.one("z"))?.id, "z");
  assert.deepEqual(asked, [["b", "z", "a", "b"], ["c", "z"], ["z"]]);
  const { values } = await (registry.getSingleMetric("notifyx_cache_entries") as Gauge).get();
  assert.equal(values.find(({ labels }) => labels.cache === "users")?.value, 4);
});
