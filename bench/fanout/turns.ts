/** One event, and many at once, to all sockets of a target: each socket has to have each message once. */

import { SOCKETS, type Target } from "./targets.ts";

/** @returns to each socket from the event's arrival at the server, and from the mutation to the last, in milliseconds */
export async function one(target: Target): Promise<{ latenciesMs: number[]; wholeMs: number }> {
  const sending = target.one(0);
  const { times, wrong } = await target.clients.report(1);
  const { askedAt, arrivedAt } = await sending;
  if (wrong > 0) throw new Error(`${wrong} sockets did not get the message once`);
  return { latenciesMs: times[0]!.map((at) => at - arrivedAt), wholeMs: times[0]!.at(-1)! - askedAt };
}

/** @returns deliveries a second, from the first socket's first to the last one's last */
export async function burst(target: Target, count: number): Promise<{ perSecond: number }> {
  const sending = target.burst(count);
  const { firstAt, lastAt, frames, wrong } = await target.clients.report(count);
  await sending;
  if (wrong > 0 || frames !== count * SOCKETS) {
    throw new Error(`${frames} frames, ${wrong} sockets did not get each message once`);
  }
  return { perSecond: frames / (lastAt - firstAt) * 1000 };
}
