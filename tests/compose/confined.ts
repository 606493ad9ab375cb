/**
 * A command in the files of an image, with the programs of this machine's system, by bubblewrap: what else there is on this machine it
 * doesn't see. Its network is this machine's.
 */

export interface Mount {
  readonly from: string;
  /** Not by default. */
  readonly isWritable?: boolean;
}

export interface Confinement {
  /** The folder that it takes for the whole disk. */
  readonly root: string;
  /** What is mounted there besides, by where. */
  readonly mounts: ReadonlyMap<string, Mount>;
  readonly env: Readonly<Record<string, string>>;
  /** Where it begins. */
  readonly folder: string;
  /** Whether it may write to nothing else and gain no right, as a process of the image; else it makes the image. */
  readonly isReadOnly: boolean;
}

/** In a root of its own these lead to the system. */
export const LINKS = { bin: "usr/bin", sbin: "usr/sbin", lib: "usr/lib", lib64: "usr/lib64" };
/** And these have to be there, for what is mounted. */
export const FOLDERS = ["usr/local/bin", "proc", "dev", "tmp", "run", "etc"];

/** The program and its arguments. */
export function confined(
  command: readonly string[],
  { root, mounts, env, folder, isReadOnly }: Confinement,
): string[] {
  const bind = isReadOnly ? "--ro-bind" : "--bind";
  return [
    "bwrap",
    "--die-with-parent",
    "--clearenv",
    ...[bind, root, "/"],
    ...["--ro-bind", "/usr", "/usr"],
    ...[bind, `${root}/usr/local/bin`, "/usr/local/bin"],
    ...["--proc", "/proc", "--dev", "/dev"],
    ...[...mounts].flatMap(([at, { from, isWritable }]) => [isWritable ? "--bind" : "--ro-bind", from, at]),
    ...isReadOnly ? ["--unshare-user", "--unshare-pid", "--cap-drop", "ALL"] : [],
    ...Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", folder],
    ...command,
  ];
}
