import assert from "node:assert/strict";
import type { Directory, Instance } from "../kit/directory.ts";
import { UserError } from "../kit/errors.ts";
import { Balancer } from "./balancer.ts";

const away = () => new UserError("SERVICE_UNAVAILABLE", "away");

function balancerOver(...ids: string[]): Balancer {
  const instances = ids.map((id) => ({ id, service: "counter", url: `http://${id}` }) as Instance);
  return new Balancer({ instances: () => instances } as unknown as Directory);
}

const askedOf = (balancer: Balancer) => balancer.ask("counter", 1_000, ({ id }) => Promise.resolve(id));

Deno.test("balancer - asks in turn", async () => {
  const balancer = balancerOver("a", "b");
  assert.deepEqual([await askedOf(balancer), await askedOf(balancer), await askedOf(balancer)], ["a", "b", "a"]);
});

Deno.test("balancer - goes on to the next where one is away, and passes that one over", async () => {
  const balancer = balancerOver("a", "b");
  const asked: string[] = [];
  const ask = () =>
    balancer.ask("counter", 1_000, ({ id }) => {
      asked.push(id);
      return id === "a" ? Promise.reject(away()) : Promise.resolve(id);
    });
  assert.deepEqual([await ask(), await ask(), await ask()], ["b", "b", "b"]);
  assert.deepEqual(asked, ["a", "b", "b", "b"]);
});

Deno.test("balancer - leaves to the next instance its share of the time", async () => {
  const limits: number[] = [];
  await assert.rejects(
    balancerOver("a", "b").ask("counter", 1_000, (_, limitMs) => (limits.push(limitMs), Promise.reject(away()))),
    { code: "SERVICE_UNAVAILABLE" },
  );
  assert.equal(limits.length, 2);
  assert.ok(limits[0]! <= 500 && limits[1]! > 900, `${limits}`);
});

Deno.test("balancer - asks all again when every one has failed, and none is what it says", async () => {
  const balancer = balancerOver("a");
  await assert.rejects(balancer.ask("counter", 100, () => Promise.reject(away())));
  assert.equal(await askedOf(balancer), "a");
  await assert.rejects(askedOf(balancerOver()), { code: "SERVICE_UNAVAILABLE" });
});

Deno.test("balancer - what is wrong with the question is said at once; without repeating only one is asked", async () => {
  const asked: string[] = [];
  const refuse = (error: Error) => ({ id }: Instance) => (asked.push(id), Promise.reject(error));
  const balancer = balancerOver("a", "b");
  await assert.rejects(balancer.ask("counter", 100, refuse(new UserError("CONFLICT", "no"))), { code: "CONFLICT" });
  await assert.rejects(balancer.ask("counter", 100, refuse(away()), false), { code: "SERVICE_UNAVAILABLE" });
  assert.deepEqual(asked, ["a", "b"]);
});
