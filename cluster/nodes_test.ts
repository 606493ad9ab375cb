/** What each kind of process may reach. */

import { deepEqual, ok } from "node:assert/strict";
import { NODE_KINDS, nodePermissions, type Place } from "./nodes.ts";
import { settingsOfNodes } from "./settings.ts";

const PLACE: Place = {
  checkout: "/srv/notifyx",
  data: "/srv/notifyx/.data",
  host: "127.0.0.1",
  basePort: 4000,
  counts: { discovery: 1, auth: 2, notifications: 1, counter: 1, gateway: 1, mail: 1, avatar: 1, client: 1 },
  databaseUrl: "postgres://someone:secret@db.example",
  discoveryUrls: ["http://127.0.0.1:4100"],
  mail: { tokensUrl: "https://tokens.example/token" },
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

Deno.test("nodes - where each has an address of its own it reaches its peers' ports in that network, and itself to listen", () => {
  const place = {
    ...PLACE,
    host: "0.0.0.0",
    network: "172.30.40.0/24",
    counts: Object.fromEntries(NODE_KINDS.map(({ kind }) => [kind, 1])),
    discoveryUrls: ["http://discovery:4100"],
  };
  deepEqual(netOf("counter", place), [
    "0.0.0.0:4007",
    "127.0.0.1:4007",
    "discovery:4100",
    "db.example:5432",
    "172.30.40.0/24:4100",
    "172.30.40.0/24:4200",
    "172.30.40.0/24:4000",
  ]);
  ok(netOf("gateway", place).includes("172.30.40.0/24"));
  ok(!netOf("gateway", place).includes("0.0.0.0"));
});

Deno.test("nodes - a process reads the files with settings of its own kind, and no others", () => {
  const settingFiles = { NOTIFYX_DATABASE_URL: "/run/url", NOTIFYX_SMTP_URL: "/run/smtp" };
  const reads = (kind: string) =>
    flagsOf(kind, { ...PLACE, data: undefined, settingFiles }).find((flag) => flag.startsWith("--allow-read="));
  deepEqual(["counter", "discovery", "mail"].map(reads), [
    "--allow-read=/run/url",
    undefined,
    "--allow-read=/run/url,/run/smtp",
  ]);
});

Deno.test("nodes - the gateway alone reads its trusted documents", () => {
  const reads = (kind: string) =>
    flagsOf(kind, { ...PLACE, trustedDocuments: "/srv/trusted.json" }).some((flag) =>
      flag.startsWith("--allow-read=") && flag.includes("/srv/trusted.json")
    );
  deepEqual(NODE_KINDS.map(({ kind }) => kind).filter(reads), ["gateway"]);
});

Deno.test("nodes - every process reaches the collector of traces where there is one, and that port alone", () => {
  for (const { kind } of NODE_KINDS) {
    ok(
      netOf(kind, { ...PLACE, collectorUrl: "https://tenant:word@otlp.example/v1" }).includes("otlp.example:443"),
      kind,
    );
    ok(netOf(kind, { ...PLACE, collectorUrl: "http://10.0.0.9:4318" }).includes("10.0.0.9:4318"), kind);
    ok(!netOf(kind).some((one) => one.includes("4318")), kind);
  }
  ok(
    !flagsOf("auth", { ...PLACE, collectorUrl: "https://tenant:word@otlp.example" }).some((flag) =>
      flag.includes("word")
    ),
  );
});

Deno.test("nodes - a mail node reaches the given SMTP server, and reads the key of its signatures", () => {
  const place = {
    ...PLACE,
    mail: { ...PLACE.mail, smtpUrl: "smtp://me:word@mx.example:587", dkimKeyFile: "/srv/dkim.pem" },
  };
  for (const one of ["mx.example:587", "tokens.example:443"]) ok(netOf("mail", place).includes(one), one);
  ok(!netOf("mail", place).includes("127.0.0.1:4700"));
  ok(flagsOf("mail", place).some((flag) => flag.startsWith("--allow-read=") && flag.includes("/srv/dkim.pem")));
  ok(!flagsOf("mail", place).some((flag) => flag.includes("word")));
});

Deno.test("nodes - a mail node without an SMTP server reaches the development inbox on this machine, and nothing for mails beyond", () => {
  const own = ["4007", "4100", "4700", "4200", "4201"].map((port) => `127.0.0.1:${port}`);
  deepEqual(
    netOf("mail", { ...PLACE, host: "10.0.0.1", mail: {} }).filter((one) => !one.startsWith("10.0.0.1:")).sort(),
    [...own, "db.example:5432"].sort(),
  );
  ok(!netOf("mail", { ...PLACE, host: "10.0.0.1", mail: {} }).includes("10.0.0.1:4700"));
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
