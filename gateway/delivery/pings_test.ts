/** Pings on a wheel of milliseconds. */

import assert from "node:assert/strict";
import { delay } from "../../kit/time.ts";
import { type Pinged, Pings } from "./pings.ts";

/** A round, in milliseconds. */
const ROUND_MS = 96;

class Peer implements Pinged {
  isAlive = true;
  turn = -1;
  pings = 0;
  isTerminated = false;
  constructor(private readonly answers: boolean, private readonly pings_: Pings) {}
  ping() {
    this.pings++;
    if (this.answers) this.isAlive = true;
  }
  terminate() {
    this.isTerminated = true;
    this.pings_.remove(this);
  }
}

Deno.test("pings - each socket once a round; one that says nothing until the next is cut off, and none other", async () => {
  const pings = new Pings();
  const peers = (count: number, answers: boolean) => Array.from({ length: count }, () => new Peer(answers, pings));
  const [alive, dead, removed] = [peers(100, true), peers(100, false), peers(10, true)];
  for (const peer of [...alive, ...dead, ...removed]) pings.add(peer);
  for (const peer of removed) pings.remove(peer);
  pings.start(ROUND_MS);
  try {
    while (dead.some(({ isTerminated }) => !isTerminated)) await delay(10);
    while (alive.some(({ pings }) => pings < 3)) await delay(10);
  } finally {
    pings.stop();
  }
  assert.ok(dead.every((peer) => peer.pings === 1));
  assert.ok(alive.every(({ isTerminated }) => !isTerminated));
  const counts = alive.map((peer) => peer.pings);
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, "none twice while another waits");
  assert.ok(removed.every((peer) => peer.pings === 0));
  await delay(ROUND_MS);
  assert.deepEqual(alive.map((peer) => peer.pings), counts, "none after the stop");
});
