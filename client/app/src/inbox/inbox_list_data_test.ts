/** One list of the inbox, by what arrives in it. */

import { deepEqual, equal } from "node:assert/strict";
import type { Notification } from "../../../lib/mod.ts";
import { InboxList } from "./inbox_list_data.ts";

const MANY = 100_000;

function one(nth: number, topicId = "t"): Notification {
  return {
    id: `${nth}`,
    message: `message ${nth}`,
    createdAt: new Date(nth * 1_000).toISOString(),
    cursor: `c${nth}`,
    status: "SENT",
    topic: { id: topicId, name: topicId },
    from: { id: "u", email: "u@example.com" },
  };
}

const began = () => Promise.resolve();
const ids = (list: InboxList) => list.state.get().items.map(({ id }) => id);
const seen = (list: InboxList) => list.state.get().items.filter(({ status }) => status === "SEEN").map(({ id }) => id);

Deno.test("inbox list - what arrives is there once, the newest first, and only where it belongs", () => {
  const all = new InboxList({}, began);
  equal(all.arrive([one(1), one(2)]), 2);
  equal(all.arrive([one(2), one(3, "other")]), 1);
  deepEqual(ids(all), ["3", "2", "1"]);
  const ofTopic = new InboxList({ topicId: "t" }, began);
  ofTopic.arrive([one(1), one(3, "other")]);
  deepEqual(ids(ofTopic), ["1"]);
});

Deno.test("inbox list - all up to a cursor are seen, of one topic where one is named", () => {
  const list = new InboxList({}, began);
  list.arrive([one(1), one(2, "other"), one(3), one(4)]);
  list.seeUpTo("c3", "t");
  deepEqual(seen(list), ["3", "1"]);
  list.seeUpTo("unknown");
  deepEqual(seen(list), ["3", "1"]);
  list.seeUpTo();
  deepEqual(seen(list), ["4", "3", "2", "1"]);
});

Deno.test("inbox list - a hundred thousand, and some that come twice", () => {
  const list = new InboxList({}, began);
  const items = Array.from({ length: MANY }, (_, nth) => one(nth));
  list.arrive(items);
  for (let nth = MANY - 100; nth < MANY + 100; nth++) list.arrive([one(nth)]);
  equal(list.state.get().items.length, MANY + 100);
  equal(ids(list)[0], `${MANY + 99}`);
});
