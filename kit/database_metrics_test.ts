/** What is told of a database: what failed, by kind, each once; and how long one waits for it. */

import assert from "node:assert/strict";
import type { Counter, Gauge } from "prom-client";
import { databaseErrorKind } from "./database_errors.ts";
import { countDatabaseError, DatabaseLook } from "./database_metrics.ts";
import { UserError } from "./errors.ts";
import { registry } from "./metrics.ts";
import { delay } from "./time.ts";

const failed = (code: string, message = "") => Object.assign(new Error(message), { code });

Deno.test("database errors - each has a kind, but for what says what is wrong with what was asked", () => {
  const kinds: [unknown, string | undefined][] = [
    [failed("ECONNREFUSED"), "connection"],
    [failed("CONNECTION_CLOSED"), "connection"],
    [failed("CONNECT_TIMEOUT"), "connection"],
    [failed("57P01"), "connection"],
    [failed("08006"), "connection"],
    [failed("53300"), "too_many_connections"],
    [failed("53100", "could not extend file: No space left on device"), "disk_full"],
    [failed("53200", "maximum number of prepared transactions reached"), "prepared_full"],
    [failed("53200", "out of memory"), "other"],
    [failed("57014"), "timeout"],
    [failed("55P03"), "lock"],
    [failed("40P01"), "lock"],
    [failed("58030"), "other"],
    [failed("XX001"), "other"],
    [failed("42P01"), "other"],
    [failed("23505"), undefined],
    [failed("22P02"), undefined],
    [failed("NX404"), undefined],
    [failed("EBADF"), undefined],
    [new UserError("TIMEOUT", "too slow"), undefined],
    [new Error("a fault of ours"), undefined],
    [undefined, undefined],
  ];
  for (const [error, kind] of kinds) assert.equal(databaseErrorKind(error), kind, String((error as Error)?.message));
});

Deno.test("database look - up while it answers, with the wait as it is, down while it doesn't; errors count once", async () => {
  let answer = Promise.withResolvers<void>();
  let asked = 0;
  const look = new DatabaseLook(() => (asked++, answer.promise), { everyMs: 5, limitMs: 50 });
  const value = async (name: string) => (await (registry.getSingleMetric(name) as Gauge).get()).values[0]!.value;
  const isUp = async () => await value("notifyx_database_up") === 1;
  const until = async (holds: () => Promise<boolean> | boolean) => {
    const giveUpAt = Date.now() + 5_000;
    for (; !await holds(); await delay(2)) assert.ok(Date.now() < giveUpAt, "not within 5 s");
  };
  const connectionErrors = async () =>
    (await (registry.getSingleMetric("notifyx_database_errors_total") as Counter).get()).values
      .find(({ labels }) => labels.kind === "connection")!.value;

  assert.equal(await isUp(), false);
  look.start();
  answer.resolve();
  await until(isUp);
  assert.ok(await value("notifyx_database_wait_seconds") < 1);

  // It hangs: nobody else is sent after the one who waits, and the wait is told before it is over.
  answer = Promise.withResolvers();
  await until(async () => !await isUp());
  const waiting = asked;
  await until(async () => await value("notifyx_database_wait_seconds") > 0.1);
  assert.equal(asked, waiting);

  const before = await connectionErrors();
  const error = failed("ECONNRESET");
  const hanging = answer;
  answer = Promise.withResolvers();
  hanging.reject(error);
  await until(async () => await connectionErrors() === before + 1);
  countDatabaseError(error);
  assert.equal(await connectionErrors(), before + 1);
  answer.resolve();
  await until(isUp);

  answer = Promise.withResolvers();
  await until(async () => !await isUp());
  await look.stop();
});
