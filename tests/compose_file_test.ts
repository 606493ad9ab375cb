/** docker-compose.yml and Dockerfile as they are written: what Compose itself takes, who is confined how, and who reaches whom. */

import assert from "node:assert/strict";
import { validate } from "dockerfile-utils";
import { fileURLToPath } from "node:url";
import { NODE_KINDS } from "../cluster/nodes.ts";
import { type ComposeService, mountsOf, networksOf, readComposeFile } from "./compose/file.ts";
import { hasProgram } from "./helpers/programs.ts";

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
const COMPOSE = [["docker-compose"], ["docker", "compose"]].filter(([program, ...args]) =>
  hasProgram(program!, [...args, "version"], "docker-compose.yml by Compose itself")
);
const LINTER = hasProgram("hadolint", ["--version"], "Dockerfile by hadolint");
/** How many the issue asks for, where it isn't one. */
const COUNTS: Readonly<Record<string, number>> = { mail: 4, avatar: 2, gateway: 2 };

const file = await readComposeFile();
const services = Object.entries(file.services);
const nodes = services.filter(([, { image, command }]) => image === "notifyx" && command !== undefined);
const namesOf = (wanted: (service: ComposeService) => boolean) =>
  services.filter(([, service]) => wanted(service)).map(([name]) => name).sort();

async function run(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd: CHECKOUT, stdin: "null" }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, said);
  return said;
}

for (const [program, ...args] of COMPOSE) {
  Deno.test(`compose file - ${[program, ...args].join(" ")} takes it`, async () => {
    await run(program!, [...args, "config", "--quiet"]);
  });
}

Deno.test("compose file - each kind of process is there, as many times as it should, and the counted ones with no port of the machine's", () => {
  assert.deepEqual(nodes.map(([name]) => name).sort(), NODE_KINDS.map(({ kind }) => kind).sort());
  for (const [name, { command, scale = 1, ports = [] }] of nodes) {
    assert.deepEqual(command, [name]);
    assert.equal(scale, COUNTS[name] ?? 1, name);
    assert.ok(scale === 1 || ports.length === 0, name);
  }
});

Deno.test("compose file - nothing runs as root, writes to its image, gains rights, or takes what it likes of the machine", () => {
  for (const [name, service] of services) {
    assert.match(service.user, /^[1-9]\d*:\d+$/, name);
    assert.equal(service.read_only, true, name);
    assert.equal(service.privileged, undefined, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.deepEqual(service.cap_add ?? [], service.image.startsWith("caddy:") ? ["NET_BIND_SERVICE"] : [], name);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
    assert.ok(service.pids_limit > 0 && service.cpus > 0 && /^\d+[mg]$/.test(service.mem_limit), name);
    assert.match(service.stop_grace_period, /^[1-9]\d*s$/, name);
    assert.equal(service.init, true, name);
    assert.deepEqual([service.logging.driver, Object.keys(service.logging.options).sort()], [
      "json-file",
      ["max-file", "max-size"],
    ]);
    assert.match(service.image, /^notifyx$|:v?\d+\.\d+\.\d+(-\w+)?$|:\d+\.\d+-\w+$/, name);
    for (const source of mountsOf(service).values()) {
      assert.ok(source.startsWith("./") || source in file.volumes, `${name} mounts ${source} of the machine`);
    }
    for (const volume of service.volumes ?? []) {
      const isOwn = ["database", "prometheus", "grafana"].includes(volume.split(":")[0]!);
      assert.ok(volume.endsWith(":ro") || isOwn || name === "secrets", `${name} may write to ${volume}`);
    }
  }
});

Deno.test("compose file - who runs on is looked after, and begins when those that it needs are ready", () => {
  for (const [name, { restart, healthcheck, depends_on = {} }] of services) {
    if (name === "secrets") continue;
    assert.equal(restart, "unless-stopped", name);
    assert.equal(healthcheck?.test[0], "CMD", name);
    for (const [other, { condition }] of Object.entries(depends_on)) {
      assert.equal(condition, other === "secrets" ? "service_completed_successfully" : "service_healthy", name);
    }
  }
  const needs = (name: string): Set<string> => {
    const direct = Object.keys(file.services[name]!.depends_on ?? {});
    return new Set([...direct, ...direct.flatMap((one) => [...needs(one)])]);
  };
  // Before anything that reads a secret, and in time for who asks the database or a gateway.
  for (const [name] of services) assert.ok(name === "secrets" || needs(name).has("secrets"), name);
  for (const { kind, database } of NODE_KINDS) {
    assert.ok(kind === "discovery" || needs(kind).has("discovery"), kind);
    assert.ok(!database || needs(kind).has("postgres"), kind);
  }
  for (const name of ["proxy", "client"]) assert.ok(needs(name).has("gateway"), name);
});

Deno.test("compose file - secrets are in files, each for those alone that need it", () => {
  for (const [name, service] of services) {
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      if (/SECRET|PASSWORD|TOKEN|KEY|DATABASE_URL/.test(variable)) {
        assert.match(variable, /_FILE$/, name);
        assert.ok(
          [...mountsOf(service).keys()].some((target) => value.startsWith(`${target}/`)),
          `${name} lacks ${value}`,
        );
      }
      assert.doesNotMatch(value, /:\/\/[^/]*:[^/]*@/, `${name}: ${variable}`);
    }
  }
  const having = (volume: string) => namesOf((service) => [...mountsOf(service).values()].includes(volume));
  const kinds = NODE_KINDS.map(({ kind }) => kind);
  const ofDatabase = NODE_KINDS.filter(({ database }) => database).map(({ kind }) => kind);
  assert.deepEqual(having("cluster-secret"), [...kinds, "pages", "prometheus", "secrets"].sort());
  assert.deepEqual(having("database-secret"), [...ofDatabase, "postgres", "secrets"].sort());
  assert.deepEqual(having("database-owner-secret"), ["postgres", "secrets"]);
  assert.deepEqual(having("grafana-secret"), ["grafana", "secrets"]);
});

Deno.test("compose file - each reaches those that it has business with, and the machine's own users what is for them", () => {
  const members = (network: string) => namesOf((service) => networksOf(service).includes(network));
  const ofDatabase = NODE_KINDS.filter(({ database }) => database).map(({ kind }) => kind);
  assert.deepEqual(members("database"), [...ofDatabase, "postgres"].sort());
  assert.deepEqual(members("cluster"), [...NODE_KINDS.map(({ kind }) => kind), "pages", "prometheus", "proxy"].sort());
  assert.deepEqual(members("monitoring"), ["grafana", "prometheus"]);
  assert.deepEqual(members("outside"), ["client", "grafana", "mail", "pages", "prometheus", "proxy"]);
  for (const [name, { internal = false }] of Object.entries(file.networks)) assert.equal(internal, name !== "outside");
  assert.equal(file.services.secrets!.network_mode, "none");
  const ports = services.flatMap(([, { ports = [] }]) => ports).sort();
  assert.deepEqual(ports, [3000, 3333, 4000, 4001, 4500, 9090].map((port) => `127.0.0.1:${port}:${port}`));
});

Deno.test("compose file - the gateways believe their proxy, whose address no other container can have", () => {
  const { proxy, gateway } = file.services;
  const address = (proxy!.networks as Record<string, { ipv4_address?: string }>).cluster!.ipv4_address;
  assert.equal(gateway!.environment!.NOTIFYX_TRUSTED_PROXIES, address);
  assert.ok(!address!.endsWith(".1"), "the first address is the machine's");
  assert.ok(Number(address!.split(".")[3]) < 128, "the second half is for those that come and go");
});

Deno.test("compose file - PostgreSQL is as deno task start has it", async () => {
  const { command, environment } = file.services.postgres!;
  const own = await Deno.readTextFile(new URL("../cluster/postgres/postgres.ts", import.meta.url));
  for (const name of ["max_connections", "max_prepared_transactions"]) {
    const value = new RegExp(`${name}: "(\\d+)"`).exec(own)?.[1];
    assert.ok(command!.includes(`${name}=${value}`), name);
  }
  const initialise = await Deno.readTextFile(new URL("../cluster/postgres/initialise.ts", import.meta.url));
  for (const option of environment!.POSTGRES_INITDB_ARGS!.split(" ")) {
    assert.ok(initialise.includes(`"${option}"`), option);
  }
});

Deno.test("compose file - what is mounted of this folder is there, and Prometheus reads the secret where it is", async () => {
  for (const [name, service] of services) {
    for (const source of mountsOf(service).values()) {
      if (source.startsWith("./")) {
        await Deno.stat(new URL(`../${source}`, import.meta.url)).catch(() => assert.fail(`${name}: ${source}`));
      }
    }
  }
  const config = await Deno.readTextFile(new URL("../monitoring/prometheus/prometheus.yml", import.meta.url));
  assert.match(config, /^ *credentials_file: \/run\/secrets\/cluster\/secret$/m);
});

Deno.test("Dockerfile - is in order, by dockerfile-utils", async () => {
  const text = await Deno.readTextFile(new URL("../Dockerfile", import.meta.url));
  const problems = validate(text);
  assert.deepEqual(problems.map(({ message, range }) => `line ${range.start.line + 1}: ${message}`), []);
});

Deno.test({ name: "Dockerfile - is in order, by hadolint", ignore: !LINTER }, async () => {
  await run("hadolint", ["Dockerfile"]);
});

Deno.test("Dockerfile - stands on named versions, makes packages before sources, and ends as nobody who may write", async () => {
  const lines = (await Deno.readTextFile(new URL("../Dockerfile", import.meta.url))).split("\n");
  const at = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line));
  for (const line of lines.filter((one) => one.startsWith("FROM "))) {
    assert.match(line, /^FROM (base|packages|[\w/]+:(bin-)?\d+\.\d+(\.\d+)?(-slim)?)( AS \w+)?$/);
  }
  assert.ok(at(/^COPY deno\.json deno\.lock/) < at(/^RUN deno install --frozen/));
  assert.ok(at(/^RUN deno install --frozen/) < at(/^COPY \. \.$/));
  assert.match(lines.findLast((line) => line.startsWith("USER "))!, /^USER (\d+:\d+)$/);
  for (const [name, { user }] of nodes) {
    assert.equal(
      `USER ${user}`,
      lines.findLast((line) => line.startsWith("USER ")),
      name,
    );
  }
  // Every process is compiled when the image is made.
  const text = lines.join("\n");
  for (const { main } of NODE_KINDS) {
    assert.ok(
      text.includes(main) || (text.includes("services/*/main.ts") && /^services\/\w+\/main\.ts$/.test(main)),
      main,
    );
  }
});
