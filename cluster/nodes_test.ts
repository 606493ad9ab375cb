/** What each kind of process may reach. */

import { deepEqual, ok } from "node:assert/strict";
import { NODE_KINDS, nodePermissions, type Place } from "./nodes.ts";
import { settingsOfNodes } from "./settings.ts";

const PLACE: Place = {
  checkout: "/srv/notifyx",
  data: "/srv/notifyx/.data",
  host: "127.0.0.1",
  basePort: 4000,
  counts: { discovery: 1, auth: 2, notifications: 1, counter: 1, gateway: 1 },
  databaseUrl: "postgres://someone:secret@db.example",
  discoveryUrls: ["http://127.0.0.1:4100"],
};

function flagsOf(kind: string, place = PLACE): string[] {
  const node = NODE_KINDS.find((one) => one.kind === kind);
  ok(node);
  return nodePermissions(node, place.basePort + 7, place);
}

function netOf(kind: string, place = PLACE): string[] {
  return flagsOf(kind, place).find((flag) => flag.startsWith("--allow-net="))?.slice("--allow-net=".length).split(
    ",",
  ) ??
    [];
}

Deno.test("nodes - a service reaches its own port, discovery, its database and its peers, and nothing else", () => {
  deepEqual(netOf("counter"), [
    "127.0.0.1:4007",
    "127.0.0.1:4100",
    "db.example:5432",
    "127.0.0.1:4200",
    "127.0.0.1:4201",
    "127.0.0.1:4000",
  ]);
  deepEqual(netOf("discovery"), ["127.0.0.1:4007", "127.0.0.1:4100"]);
});

Deno.test("nodes - the gateway reaches any port of the hosts that take part", () => {
  const net = netOf("gateway", { ...PLACE, host: "10.0.0.1", discoveryUrls: ["http://other.example:4100"] });
  for (const host of ["10.0.0.1", "127.0.0.1", "other.example"]) ok(net.includes(host));
  ok(!net.includes("db.example"));
});

Deno.test("nodes - the gateway alone reads its trusted documents", () => {
  const reads = (kind: string) =>
    flagsOf(kind, { ...PLACE, trustedDocuments: "/srv/trusted.json" }).some((flag) =>
      flag.startsWith("--allow-read=") && flag.includes("/srv/trusted.json")
    );
  deepEqual(NODE_KINDS.map(({ kind }) => kind).filter(reads), ["gateway"]);
});

Deno.test("nodes - every process has listed permissions, and only auth loads native code", () => {
  for (const { kind } of NODE_KINDS) {
    const flags = flagsOf(kind);
    ok(!flags.some((flag) => /^(-A|--allow-(all|net|env|read|write|run|sys))$/.test(flag)), `${kind}: ${flags}`);
    ok(!flags.some((flag) => /^--allow-run/.test(flag)), `${kind}: ${flags}`);
    const own = kind === "discovery" ? [] : [`--allow-write=/srv/notifyx/.data/directory/${kind}-4007`];
    deepEqual(flags.filter((flag) => flag.startsWith("--allow-write")), own);
    ok(kind === "auth" || !flags.some((flag) => flag.startsWith("--allow-ffi")), `${kind}: ${flags}`);
    ok(!flags.some((flag) => flag.includes("secret")), `${kind} has the database's password on its command line`);
  }
});

Deno.test("nodes - where the path has a comma, which Deno knows no way to write, no process writes anything", () => {
  for (const { kind } of NODE_KINDS) {
    const flags = flagsOf(kind, { ...PLACE, data: "/srv/a,b/.data" });
    ok(!flags.some((flag) => flag.startsWith("--allow-write")), `${kind}: ${flags}`);
  }
});

Deno.test("nodes - no process reads a setting that the start doesn't check", () => {
  const checked = Object.keys(settingsOfNodes(PLACE.counts));
  for (const { kind, main } of NODE_KINDS) {
    const text = Deno.readTextFileSync(new URL(`../${main}`, import.meta.url));
    const own = [...text.matchAll(/\b(NOTIFYX_\w+)\b/g)].map(([name]) => name);
    deepEqual(own.filter((name) => !checked.includes(name)), [], `${kind} has settings of its own in ${main}`);
  }
  for (const name of ["NOTIFYX_SESSION_SECONDS", "NOTIFYX_ALLOWED_ORIGINS"]) ok(checked.includes(name));
  ok(!Object.keys(settingsOfNodes({ gateway: 1 })).includes("NOTIFYX_SESSION_SECONDS"));
});
