/** Faults on the way from a commit to the sockets, and of the sockets themselves. */

import { delay, SECOND } from "../../kit/time.ts";
import { type System, until } from "../helpers/system.ts";
import { again, type Fault } from "./fault.ts";

/** How many sockets the gateway of a stage takes: `NOTIFYX_SOCKETS`. */
export const SOCKETS = 20;
const EXPIRED = 15;

/** Somebody holds the lock under which positions are given, and something that is committed waits. */
export const feedLocked: Fault = {
  what: "another session holds the feed's lock",
  raises: [{ alert: "FeedStalled" }],
  async make({ system }, ends) {
    ends.defer(await lockFeed(system));
    await until("something waits for its position", async () => {
      const [row] = await system.database("notifications")`select count(*) from feed_pending`;
      return row!.count > 0;
    });
  },
};

/** The same, and it is given back for a moment again and again. */
export const feedHalting: Fault = {
  what: "another session holds the feed's lock for 2 s, again and again",
  raises: [{ alert: "DeliverySlow" }],
  make({ system }, ends) {
    again(ends, 0, async () => {
      const release = await lockFeed(system);
      await delay(2 * SECOND);
      await release();
      await delay(SECOND / 4);
    });
  },
};

/** As many sockets as the gateway takes, and others that come in vain. */
export const socketsFull: Fault = {
  what: `${SOCKETS} sockets, which is the gateway's limit, and others that want in`,
  raises: [{ alert: "SocketsNearLimit" }, { alert: "SocketsRefused" }],
  async make({ bob }, ends) {
    const open = async () => void ends.use(await bob.connect());
    // Bob's first one counts as well.
    for (let nth = 0; nth < SOCKETS - 1; nth++) await open();
    again(ends, SECOND / 2, open);
  },
};

/** What `deno task new-epoch` does, under the feet of subscriptions. */
export const newEpoch: Fault = {
  what: `a new epoch, with ${EXPIRED} subscriptions open`,
  raises: [{ alert: "CursorExpired" }],
  async make({ system, bob }) {
    using socket = await bob.connect();
    const ids = Array.from({ length: EXPIRED }, () => socket.subscribe("subscription { notificationReceived { id } }"));
    await until("they receive", () => ids.every((id) => socket.received(id).length > 0));
    await system.database("notifications")`update feed_head set epoch = substr(md5(gen_random_uuid()::text), 1, 12)`;
    await until("they have ended", () => {
      const ended = socket.frames.filter(({ type }) => type === "error");
      return ended.length === EXPIRED && ended.every(({ payload }) => payload[0].extensions.code === "CURSOR_EXPIRED");
    });
  },
};

async function lockFeed(system: System): Promise<() => Promise<void>> {
  const connection = await system.database("notifications").reserve();
  await connection`select pg_advisory_lock(x'4e544658'::int, 1)`;
  return async () => {
    await connection`select pg_advisory_unlock(x'4e544658'::int, 1)`;
    connection.release();
  };
}
