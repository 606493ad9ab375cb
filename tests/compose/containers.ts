/**
 * Does on this machine what a container engine would do with docker-compose.yml, as far as that goes without one: each container is its
 * command with its environment, started once those that it depends on are healthy by their own checks. It has an address of its own
 * within 127.0.0.0/8, on which it listens on its own ports; names are those of the file, and what is mounted is found where it is from.
 *
 * In the place of PostgreSQL's image is the embedded one; Prometheus and Grafana are left out. With an image of Notifyx (image.ts) its
 * containers have the files of that and what is mounted, and no rights; without, they run from this checkout.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TextLineStream } from "../../cluster/lines.ts";
import { type Postgres, startPrivatePostgres } from "../../cluster/postgres/mod.ts";
import { connect } from "../../kit/database.ts";
import { delay, SECOND, withTimeLimit } from "../../kit/time.ts";
import { rawRequest } from "../helpers/raw_request.ts";
import { until } from "../helpers/system.ts";
import { confined, type Mount } from "./confined.ts";
import { type ComposeFile, type ComposeService, mountsOf, networksOf, readComposeFile } from "./file.ts";
import type { Image } from "./image.ts";
import { NameServer } from "./name_server.ts";

export const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const HEALTHY_LIMIT_MS = 120 * SECOND;
const STOP_LIMIT_MS = 8 * SECOND;
/** For a shell: runs what doesn't by itself stop when we are gone. */
const WHILE_STDIN_IS_OPEN = '"$@" & read -r _; kill $!; wait';
/** For a node, besides its own settings. */
const STOPS_WITH_US = { NOTIFYX_STOP_ON_STDIN_END: "1", NOTIFYX_STOP_SECONDS: "3" };
/** The last lines of a container that are kept. */
const MOST_LINES = 200;

export interface Container {
  readonly service: string;
  readonly address: string;
  readonly lines: string[];
  readonly child: Deno.ChildProcess;
  /** When it has ended and all that it said is in `lines`. */
  readonly status: Promise<Deno.CommandStatus>;
}

export class Containers implements AsyncDisposable {
  readonly #running: Container[] = [];
  readonly #begun = new Map<string, Promise<void>>();
  #nameServer: NameServer | undefined;
  #postgres: Postgres & AsyncDisposable | undefined;

  private constructor(
    readonly file: ComposeFile,
    /** Services of whose image this machine has no program. */
    private readonly leftOut: ReadonlySet<string>,
    /** The first three bytes of all addresses: `127.42.7`. */
    private readonly network: string,
    private readonly folder: string,
    private readonly image: Image | undefined,
  ) {}

  /** Starts all services but `leftOut`. */
  static async start(leftOut: readonly string[] = [], image?: Image): Promise<Containers> {
    const network = `127.${2 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 256)}`;
    const file = await readComposeFile({
      NOTIFYX_NETWORK: `${network}.0/24`,
      NOTIFYX_PROXY_ADDRESS: `${network}.2`,
      NOTIFYX_PUBLIC_URL: `http://${network}.2:4000`,
    });
    const folder = Deno.makeTempDirSync({ prefix: "notifyx-compose-" });
    // For users that aren't ours.
    Deno.chmodSync(folder, 0o711);
    const containers = new Containers(file, new Set(["prometheus", "grafana", ...leftOut]), network, folder, image);
    try {
      containers.#nameServer = await NameServer.start(`${network}.1`, (name) => containers.addresses(name));
      await Promise.all(Object.keys(file.services).map((name) => containers.#begin(name)));
    } catch (error) {
      await containers[Symbol.asyncDispose]();
      throw error;
    }
    return containers;
  }

  /** Those of a service's containers, whether they run yet or not. */
  addresses(name: string): string[] {
    const at = Object.keys(this.file.services).indexOf(name);
    if (at < 0) return [];
    const { networks, scale = 1 } = this.file.services[name]!;
    const own = Array.isArray(networks) ? undefined : Object.values(networks ?? {}).find((one) => one?.ipv4_address);
    if (own != null) return [own.ipv4_address!];
    return Array.from({ length: scale }, (_, index) => `${this.network}.${10 * (at + 1) + index}`);
  }

  /** The folder of a mounted volume, or the mounted file of this checkout; the path itself where nothing is mounted. */
  path(service: ComposeService, path: string): string {
    if (path === "/app" || path.startsWith("/app/")) return CHECKOUT + path.slice("/app".length);
    for (const [target, source] of mountsOf(service)) {
      if (path === target || path.startsWith(`${target}/`)) {
        const place = source.startsWith("./") ? join(CHECKOUT, source) : join(this.folder, source);
        return place + path.slice(target.length);
      }
    }
    return path;
  }

  /** What docker/secrets.sh has made, in any of its volumes. */
  secrets(): string[] {
    const service = this.file.services.secrets!;
    return [...mountsOf(service).keys()].flatMap((target) => {
      const folder = this.path(service, target);
      return [...Deno.readDirSync(folder)].map(({ name }) => Deno.readTextFileSync(join(folder, name)).trim());
    });
  }

  containers(service: string): Container[] {
    return this.#running.filter((one) => one.service === service);
  }

  /** A further command in a container of a service. */
  async execute(service: string, command: readonly string[]): Promise<{ code: number; said: string }> {
    const { words: [program, ...args], ...options } = this.#commandOf(service, command, this.addresses(service)[0]!);
    const { code, stdout, stderr } = await new Deno.Command(program!, { args, ...options, stdin: "null" }).output();
    return { code, said: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
  }

  #begin(name: string): Promise<void> {
    let begun = this.#begun.get(name);
    if (begun === undefined) this.#begun.set(name, begun = this.#start(name));
    return begun;
  }

  async #start(name: string): Promise<void> {
    if (this.leftOut.has(name)) return;
    const service = this.file.services[name]!;
    await Promise.all(Object.keys(service.depends_on ?? {}).map((other) => this.#begin(other)));
    if (name === "postgres") return await this.#startPostgres(service);
    const started = this.addresses(name).map((address) => this.#run(name, service, address));
    if (name === "secrets") {
      const { success } = await withTimeLimit(name, HEALTHY_LIMIT_MS, started[0]!.status);
      if (!success) throw new Error(`secrets: ${started[0]!.lines.join("\n")}`);
    } else {
      await Promise.all(started.map((one) => this.#healthy(one, service.healthcheck!.test.slice(1))));
    }
  }

  /** The embedded one, with the settings that the file gives on the command line and the role that its first start makes. */
  async #startPostgres(service: ComposeService): Promise<void> {
    const settings = Object.fromEntries(
      service.command!.filter((word) => word.includes("=")).map((one) => one.split("=")),
    );
    this.#postgres = await startPrivatePostgres({ settings, template: Deno.env.get("NOTIFYX_TEST_POSTGRES") });
    const secrets = this.path(service, "/run/secrets/database");
    const password = Deno.readTextFileSync(join(secrets, "password")).trim();
    const script = Deno.readTextFileSync(join(this.path(service, "/docker-entrypoint-initdb.d"), "role.sql"));
    const sql = connect(`${this.#postgres.url}/postgres`, "test", 1);
    try {
      // What psql would do: its own line reads the file.
      await sql.unsafe(script.replace(/^\\set .*$/m, "").replaceAll(":'password'", `'${password}'`));
    } finally {
      await sql.end({ timeout: 1 });
    }
    const url = join(secrets, "url");
    const there = Deno.readTextFileSync(url).replace("@postgres:5432", `@127.0.0.1:${this.#postgres.port}`);
    Deno.removeSync(url);
    Deno.writeTextFileSync(url, there);
  }

  #run(name: string, service: ComposeService, address: string): Container {
    for (const source of mountsOf(service).values()) this.#makeVolume(source);
    const entrypoint = service.entrypoint ?? (service.image === "notifyx" ? ["/app/docker/node.sh"] : []);
    const { words, ...options } = this.#commandOf(name, [...entrypoint, ...service.command ?? []], address);
    const child = new Deno.Command("sh", {
      args: ["-c", service.image === "notifyx" ? 'exec "$@"' : WHILE_STDIN_IS_OPEN, "sh", ...words],
      clearEnv: true,
      ...options,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const lines: string[] = [];
    const said = [child.stdout, child.stderr].map((stream) => keepLines(name, stream, lines));
    const status = Promise.all([child.status, ...said]).then(([status]) => status);
    const container = { service: name, address, lines, child, status };
    this.#running.push(container);
    return container;
  }

  /** A volume is a folder, of the user whose the image has it. */
  #makeVolume(source: string): void {
    const folder = join(this.folder, source);
    if (source.startsWith("./") || exists(folder)) return;
    Deno.mkdirSync(folder);
    if (this.image !== undefined) Deno.chownSync(folder, this.image.user, this.image.user);
  }

  /** How the words of a container's command, or of its check, are run on this machine. */
  #commandOf(
    name: string,
    words: readonly string[],
    address: string,
  ): { words: string[]; env: Record<string, string>; uid?: number; gid?: number } {
    const service = this.file.services[name]!;
    const { image } = this;
    const given = Object.entries(service.environment ?? {});
    const PATH = `${this.#programs()}:${Deno.env.get("PATH")}`;
    if (image === undefined || service.image !== "notifyx") {
      const here = (word: string) => this.#here(service, word, address);
      const env = { ...Object.fromEntries(given.map(([key, value]) => [key, here(value)])), PATH };
      return { words: words.map(here), env: { ...env, ...this.#ofThisMachine(service, address) } };
    }
    const env = Object.fromEntries(given.map(([key, value]) => [key, withAddress(value, address)]));
    const mounts = new Map<string, Mount>([["/etc/hosts", { from: this.#hosts(name) }]]);
    for (const [target, source] of mountsOf(service)) {
      mounts.set(target, {
        from: join(this.folder, source),
        isWritable: service.volumes!.includes(`${source}:${target}`),
      });
    }
    const confinement = {
      ...image,
      mounts,
      env: { ...image.env, ...env, ...STOPS_WITH_US },
      isReadOnly: true,
    };
    return {
      words: confined(words.map((word) => withAddress(word, address)), confinement),
      env: { PATH },
      uid: image.user,
      gid: image.user,
    };
  }

  /** Those of the services that share a network with this one. */
  #reached(service: ComposeService): string[] {
    const own = networksOf(service);
    return Object.keys(this.file.services).filter((name) =>
      networksOf(this.file.services[name]!).some((network) => own.includes(network))
    );
  }

  /** A word of the file as it has to be from this checkout. */
  #here(service: ComposeService, word: string, address: string): string {
    for (const name of this.#reached(service)) {
      word = word.replaceAll(new RegExp(`\\b${name}(?=:\\d)`, "g"), this.addresses(name)[0]!);
    }
    // The volumes of a folder are in one folder here too.
    if (word === "/run/secrets") return this.#secretsFolder(service);
    return this.path(service, withAddress(word, address));
  }

  #secretsFolder(service: ComposeService): string {
    const folder = join(this.folder, "run-secrets");
    Deno.mkdirSync(folder);
    for (const [target, source] of mountsOf(service)) {
      Deno.symlinkSync(join(this.folder, source), join(folder, target.slice("/run/secrets/".length)));
    }
    return folder;
  }

  /** Its file with the names of the others. */
  #hosts(name: string): string {
    const file = join(this.folder, `hosts-${name}`);
    const lines = this.#reached(this.file.services[name]!).map((one) => `${this.addresses(one)[0]} ${one}\n`);
    Deno.writeTextFileSync(file, lines.join(""));
    return file;
  }

  /** A folder in which `deno` is the program that runs this. */
  #programs(): string {
    const bin = join(this.folder, "bin");
    Deno.mkdirSync(bin, { recursive: true });
    if (!exists(join(bin, "deno"))) Deno.symlinkSync(Deno.execPath(), join(bin, "deno"));
    return bin;
  }

  /** What an image, or the engine, would give besides. */
  #ofThisMachine({ image }: ComposeService, address: string): Record<string, string> {
    if (image !== "notifyx") return { NOTIFYX_PROXY_HOST: address, NOTIFYX_NAME_SERVER: this.#nameServer!.address };
    const kept = ["HOME", "DENO_DIR"].map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value);
    return { ...Object.fromEntries(kept), NODE_ENV: "production", ...STOPS_WITH_US };
  }

  /** Waits until the container's own check says so. */
  async #healthy(container: Container, check: readonly string[]): Promise<void> {
    const { service, address, lines } = container;
    let ended: Deno.CommandStatus | undefined;
    void container.status.then((status) => ended = status);
    await until(`${service} is healthy`, async () => {
      if (ended !== undefined) throw new Error(`${service} ended with exit code ${ended.code}: ${lines.join("\n")}`);
      if (check[0] === "wget") return await answers(check.at(-1)!, address);
      const { words: [program, ...args], ...options } = this.#commandOf(service, check, address);
      const none = { stdin: "null", stdout: "null", stderr: "null" } as const;
      const { success } = await new Deno.Command(program!, { args, ...options, ...none }).output();
      return success || (await delay(50), false);
    }, HEALTHY_LIMIT_MS).catch((error) => {
      throw new Error(`${error.message}\n${lines.slice(-20).join("\n")}`);
    });
  }

  /** Stops all, those first that others don't depend on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#begun.values());
    const left = new Set(this.#running);
    while (left.size > 0) {
      const needed = new Set(
        [...left].flatMap(({ service }) => Object.keys(this.file.services[service]!.depends_on ?? {})),
      );
      const last = [...left].filter(({ service }) => !needed.has(service));
      await Promise.all(last.map((one) => stop(one)));
      for (const one of last) left.delete(one);
    }
    await this.#nameServer?.[Symbol.asyncDispose]();
    await this.#postgres?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** All containers are on this machine: none of them can listen on all of its addresses, or be asked on the first. */
function withAddress(word: string, address: string): string {
  return word.replaceAll(/\b(0\.0\.0\.0|127\.0\.0\.1)(?![.\d/])/g, address);
}

async function stop({ child, status }: Container): Promise<void> {
  child.stdin.close().catch(() => {}); // It may have ended.
  await withTimeLimit("a stop", STOP_LIMIT_MS, status).catch(() => {
    child.kill("SIGKILL");
    return status;
  });
}

async function keepLines(
  name: string,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  lines: string[],
): Promise<void> {
  const verbose = Deno.env.get("NOTIFYX_TEST_VERBOSE") === "1";
  for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    if (verbose) console.log(`${name} | ${line}`);
    if (lines.push(line) > MOST_LINES) lines.shift();
  }
}

/** What `wget --spider` in the container would be answered. */
async function answers(url: string, address: string): Promise<boolean> {
  const { host, port, pathname } = new URL(url);
  const request = `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
  const answer = await rawRequest(`http://${address}:${port}`, [request]).catch(() => undefined);
  return answer?.status === 200;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
