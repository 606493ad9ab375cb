/** The places of a gateway's connections: taken, refused, and given back once. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import * as v from "valibot";
import { Connections } from "./connections.ts";
import { SOCKET_SETTINGS } from "./settings.ts";

const connections = (settings: Record<string, string>) =>
  new Connections(v.parse(v.object(SOCKET_SETTINGS), settings), getLogger("test"));
const FULL = { code: "TOO_MANY_REQUESTS", extensions: { code: "TOO_MANY_REQUESTS", retryAfterSeconds: 5 } };
const LIMITED = { code: "RATE_LIMITED", extensions: { code: "RATE_LIMITED", retryAfterSeconds: 5 } };

Deno.test("connections - so many in all, whose places are given back once", () => {
  const all = connections({ NOTIFYX_SOCKETS: "2" });
  const leave = all.take("a");
  all.take("b");
  assert.throws(() => all.take("c"), FULL);
  leave();
  leave();
  all.take("c");
  assert.throws(() => all.take("d"), FULL);
});

Deno.test("connections - of an address and of a user; one that is refused holds nothing", () => {
  const all = connections({ NOTIFYX_SOCKETS_PER_USER: "1", NOTIFYX_SOCKETS_PER_ADDRESS: "2", NOTIFYX_SOCKETS: "3" });
  const leave = all.takeBoth("a", "ann");
  for (let nth = 0; nth < 5; nth++) assert.throws(() => all.takeBoth("a", "ann"), LIMITED);
  all.takeBoth("a", null);
  assert.throws(() => all.takeBoth("a", "bob"), LIMITED);
  all.takeBoth("b", "bob");
  assert.throws(() => all.takeBoth("c", "eve"), FULL);
  leave();
  all.takeBoth("c", "ann");
});
