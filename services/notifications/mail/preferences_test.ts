/** What users choose, over a real PostgreSQL: for whom it is, and what is refused. */

import assert from "node:assert/strict";
import { UserError } from "../../../kit/errors.ts";
import { ANN, BOB, CARL, LUNCH, NEWS, withMail } from "../testing/mail.ts";

async function code(doing: Promise<unknown>): Promise<string> {
  try {
    await doing;
    return "done";
  } catch (error) {
    return error instanceof UserError ? error.code : String(error);
  }
}

Deno.test("mail preferences - each user's own, by topic, changed again and again", async () => {
  await withMail(async (world) => {
    const { preferences } = world;
    const of = async (userId: string) => Object.fromEntries(await preferences.of([NEWS, LUNCH], userId));
    await world.want(BOB, { preference: "WHEN_AWAY", afterMinutes: 3 });
    await world.want(BOB, { preference: "DIGEST", every: "HOUR" }, LUNCH);
    await world.want(BOB, { preference: "DIGEST", every: "HOUR" }, LUNCH);
    assert.deepEqual(await of(BOB), {
      [NEWS]: { preference: "WHEN_AWAY", every: "DAY", afterMinutes: 3 },
      [LUNCH]: { preference: "DIGEST", every: "HOUR", afterMinutes: 10 },
    });
    assert.deepEqual(await of(CARL), {});
    const names = async (after: string | null, limit = 10) =>
      (await preferences.topics(BOB, after, limit)).map(({ name }) => name);
    assert.deepEqual(await names(null), ["lunch", "news"]);
    assert.deepEqual(await names(null, 1), ["lunch"]);
    assert.deepEqual(await names(LUNCH), ["news"]);
    await world.want(BOB, { preference: "NEVER" }, LUNCH);
    assert.deepEqual(await names(null), ["news"]);
    // Who never wanted any leaves no row.
    await world.want(CARL, { preference: "NEVER" });
    assert.deepEqual(await of(CARL), {});
  });
});

Deno.test("mail preferences - for topics that one sees, with times that are allowed", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    const set = (topicId: string, userId: string, afterMinutes = 10) =>
      code(world.preferences.set(topicId, userId, { preference: "WHEN_AWAY", every: "DAY", afterMinutes }));
    for (const minutes of [-1, 10_081]) assert.equal(await set(NEWS, BOB, minutes), "BAD_USER_INPUT");
    for (const minutes of [0, 10_080]) assert.equal(await set(NEWS, BOB, minutes), "done");
    for (const topicId of ["", "x", "'", crypto.randomUUID()]) assert.equal(await set(topicId, BOB), "NOT_FOUND");
    await sql`select leave_topic(${LUNCH}, ${CARL})`;
    await sql`update topics set visibility = 'INVITE' where id = ${LUNCH}`;
    assert.equal(await set(LUNCH, CARL), "NOT_FOUND");
    assert.equal(await set(LUNCH, BOB), "done");
    // What isn't seen any more isn't listed either.
    await sql`select leave_topic(${LUNCH}, ${BOB})`;
    assert.deepEqual((await world.preferences.topics(BOB, null, 10)).map(({ name }) => name), ["news"]);
    await sql`update topics set deleted_at = now() where id = ${NEWS}`;
    assert.equal(await set(NEWS, ANN), "NOT_FOUND");
  });
});
