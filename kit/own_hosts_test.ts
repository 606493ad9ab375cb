/** Which names this machine's own pages open by. */

import { deepEqual, equal } from "node:assert/strict";
import { isOwnHost, ownHosts } from "./own_hosts.ts";

const opens = (host: string, own = ownHosts({})) => isOwnHost(new URL(`http://${host}:4500/inbox`).hostname, own);

Deno.test("own hosts - loopback's names and addresses, however they are written", () => {
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.1", "127.9.8.7", "0x7f.1", "[::1]", "[0:0::0:1]"]) {
    equal(opens(host), true, host);
  }
  equal(opens("[::ffff:127.0.0.1]"), true);
});

Deno.test("own hosts - no other name, whatever it begins or ends with", () => {
  const others = [
    "evil.example",
    "localhost.evil.example",
    "evil-localhost",
    "127.0.0.1.evil.example",
    "127.evil.example",
    "127.0.0.1-evil.example",
    "128.0.0.1",
    "10.0.0.1",
    "0.0.0.0",
    "[::2]",
    "[::ffff:128.0.0.1]",
    "[2001:db8::7f00:1]",
  ];
  for (const host of others) equal(opens(host), false, host);
});

Deno.test("own hosts - the names that settings give, of a port or path nothing", () => {
  const own = ownHosts({
    NOTIFYX_HOST: "FE80::1",
    NOTIFYX_URL: "http://node-7.Internal:4500/base",
    NOTIFYX_PUBLIC_URL: "https://notify.example",
  });
  deepEqual([...own], ["[fe80::1]", "node-7.internal", "notify.example"]);
  for (const host of ["[fe80::1]", "node-7.internal", "NOTIFY.example", "localhost"]) {
    equal(opens(host, own), true, host);
  }
  for (const host of ["evil.notify.example", "notify.example.evil", "internal"]) equal(opens(host, own), false, host);
  deepEqual([...ownHosts({ NOTIFYX_HOST: "0.0.0.0" })], ["0.0.0.0"]);
});
