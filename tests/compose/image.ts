/**
 * Builds the image of Dockerfile on this machine, line by line, in the place of a container engine: its folders are copied as COPY says, and
 * RUN runs with nothing but them and this machine's system.
 */

import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { confined, FOLDERS, LINKS } from "./confined.ts";
import { ignores, type Instruction, readDockerfile } from "./dockerfile.ts";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** Of the system of a base image: what programs look up, and users are added to. */
const ETC = ["passwd", "group", "login.defs", "resolv.conf", "hosts", "nsswitch.conf", "ssl", "ca-certificates"];
/** Files by which this machine knows a package registry, where it has some of its own; its own builder would be told in another way. */
const CERTIFICATES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];
const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

export interface Image {
  /** The folder that holds all of it, but for what is in /usr of its base. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly user: number;
  readonly entrypoint: readonly string[];
}

/** Its stages are kept below `folder`, which may be removed when the image isn't needed any more. */
export async function buildImage(folder: string, progress: (line: string) => void): Promise<Image> {
  const stages = new Map<string, Image>();
  let last: Image | undefined;
  for (const instruction of readDockerfile(Deno.readTextFileSync(join(CHECKOUT, "Dockerfile")))) {
    const { keyword, words, text } = instruction;
    progress(`${keyword} ${text.slice(0, 100)}`);
    if (keyword === "FROM") {
      last = await from(words[0]!, stages.get(words[0]!), join(folder, `stage-${stages.size}`));
      stages.set(words[2] ?? `${stages.size}`, last);
      continue;
    }
    const stage: Image = last!;
    const changed = await apply(instruction, stage, stages);
    last = { ...stage, ...changed };
    for (const [name, one] of stages) if (one === stage) stages.set(name, last);
  }
  return last!;
}

async function from(name: string, base: Image | undefined, root: string): Promise<Image> {
  Deno.mkdirSync(root, { mode: 0o755 });
  if (base !== undefined) {
    await run(["cp", "-a", "--reflink=auto", `${base.root}/.`, root]);
    return { ...base, root };
  }
  // Of an image from elsewhere there is its program, or a system.
  if (name.startsWith("denoland/deno:")) {
    Deno.copyFileSync(Deno.execPath(), join(root, "deno"));
  } else {
    for (const one of FOLDERS) Deno.mkdirSync(join(root, one), { recursive: true });
    for (const [one, target] of Object.entries(LINKS)) Deno.symlinkSync(target, join(root, one));
    for (const one of ETC) await run(["cp", "-aL", join("/etc", one), join(root, "etc")]).catch(() => {});
  }
  return { root, env: { PATH }, folder: "/", user: 0, entrypoint: [] };
}

async function apply(
  { keyword, words, text }: Instruction,
  stage: Image,
  stages: ReadonlyMap<string, Image>,
): Promise<Partial<Image>> {
  switch (keyword) {
    case "WORKDIR":
      Deno.mkdirSync(stage.root + text, { recursive: true });
      return { folder: text };
    case "ENV":
      return { env: { ...stage.env, ...Object.fromEntries(words.map((word) => word.split("="))) } };
    case "USER":
      return { user: Number(text.split(":")[0]) };
    case "ENTRYPOINT":
      return { entrypoint: JSON.parse(text) };
    case "COPY":
      await copy(words, stage, stages);
      return {};
    case "RUN":
      await run(confined(["sh", "-c", text], { ...stage, ...withCertificates(stage), isReadOnly: false }));
      return {};
    default:
      throw new Error(`the Dockerfile has ${keyword}, which is unknown here`);
  }
}

/** Mounted where nothing else is, and not in the image. */
function withCertificates({ root, env }: Image) {
  const files = CERTIFICATES.map((name) => [name, Deno.env.get(name)]).filter(([, file]) => file) as [string, string][];
  const place = (name: string) => `/tmp/${name}`;
  for (const [name] of files) Deno.writeTextFileSync(join(root, place(name)), "");
  return {
    mounts: new Map(files.map(([name, from]) => [place(name), { from }])),
    env: { ...env, ...Object.fromEntries(files.map(([name]) => [name, place(name)])) },
  };
}

async function copy(words: readonly string[], stage: Image, stages: ReadonlyMap<string, Image>): Promise<void> {
  const stageName = /^--from=(.*)/.exec(words[0]!)?.[1];
  const [sources, target] = [words.slice(stageName === undefined ? 0 : 1, -1), words.at(-1)!];
  const to = target.startsWith("/") ? stage.root + target : join(stage.root, stage.folder, target);
  for (const source of sources) {
    if (stageName !== undefined) {
      Deno.mkdirSync(dirname(to), { recursive: true });
      await run(["cp", "-a", "--reflink=auto", "-T", stages.get(stageName)!.root + source, to]);
    } else if (source === ".") {
      const isOut = ignores(Deno.readTextFileSync(join(CHECKOUT, ".dockerignore")));
      for (const path of filesUnder("", isOut)) {
        Deno.mkdirSync(dirname(join(to, path)), { recursive: true });
        Deno.copyFileSync(join(CHECKOUT, path), join(to, path));
      }
    } else Deno.copyFileSync(join(CHECKOUT, source), join(to, basename(source)));
  }
}

/** Those of the checkout that are in the context. A folder that is left out may still have some that aren't. */
function* filesUnder(folder: string, isOut: (path: string) => boolean): Generator<string> {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(join(CHECKOUT, folder))) {
    const path = join(folder, name);
    if (isDirectory && !isOut(path)) yield* filesUnder(path, isOut);
    else if (isFile && !isOut(path)) yield path;
  }
}

async function run([program, ...args]: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program!, { args, stdin: "null" }).output();
  if (success) return;
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  throw new Error(`${[program, ...args].join(" ").slice(-500)}: ${said.slice(-3000)}`);
}
