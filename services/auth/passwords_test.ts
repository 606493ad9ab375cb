import { hash } from "@node-rs/argon2";
import assert from "node:assert/strict";
import { HASH_PARAMETERS, Passwords } from "./passwords.ts";

Deno.test("passwords - are Argon2id with 19 MiB, two passes and one lane, each with a salt of its own", async () => {
  const passwords = await Passwords.create();
  const [first, second] = await Promise.all([passwords.hash("secret password"), passwords.hash("secret password")]);
  assert.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(first, second);
  assert.ok(await passwords.verify(first, "secret password"));
  assert.ok(!await passwords.verify(first, "secret passwore"));
  assert.ok(!passwords.isStale(first));
});

Deno.test("passwords - all 128 characters count", async () => {
  const passwords = await Passwords.create();
  const stored = await passwords.hash("🙂".repeat(127) + "a");
  assert.ok(await passwords.verify(stored, "🙂".repeat(127) + "a"));
  assert.ok(!await passwords.verify(stored, "🙂".repeat(127) + "b"));
});

Deno.test("passwords - nobody's is never right", async () => {
  const passwords = await Passwords.create();
  for (const password of ["", "secret password"]) assert.ok(!await passwords.verify(undefined, password));
});

Deno.test("passwords - a hash with other parameters is stale", async () => {
  const passwords = await Passwords.create();
  assert.ok(passwords.isStale(await hash("x", { ...HASH_PARAMETERS, timeCost: 3 })));
  assert.ok(passwords.isStale(await hash("x", { ...HASH_PARAMETERS, memoryCost: 9_728 })));
});

Deno.test("passwords - two are hashed at once, three wait, and the sixth is told to come back", async () => {
  const passwords = await Passwords.create({ running: 2, waiting: 3 });
  const five = Array.from({ length: 5 }, () => passwords.hash("secret password"));
  const { turns } = passwords;
  assert.deepEqual([turns.running, turns.most, turns.waiting, turns.mostWaiting, turns.refused], [2, 2, 3, 3, 0]);
  await assert.rejects(passwords.hash("secret password"), (error: { code: string; extensions: object }) => {
    assert.equal(error.code, "TOO_MANY_REQUESTS");
    assert.deepEqual(error.extensions, { code: "TOO_MANY_REQUESTS", retryAfterSeconds: 2 });
    return true;
  });
  await Promise.all(five);
  assert.deepEqual([turns.running, turns.waiting, turns.refused], [0, 0, 1]);
  await passwords.hash("secret password");
});
