/**
 * Where the embedded PostgreSQL keeps its programs and its data, and the user that it runs as.
 *
 * PostgreSQL refuses to run as root. As root it therefore runs as another user, which can't enter /root or a checkout that
 * only its owner may enter: then programs and data are under {@link SYSTEM_HOME}, where only root can put anything.
 * For an ordinary user all of it is in the checkout, under `.data/postgres`.
 */

import { basename, join } from "node:path";

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresLayout {
  /** Holds `data/`, and while that is made, `data.new/`. It belongs to us, so PostgreSQL's user can put no link there. */
  readonly home: string;
  /** Holds a folder for each version of the programs. */
  readonly programs: string;
  /** Whom PostgreSQL runs as; undefined is the user who started us. */
  readonly user: SystemUser | undefined;
}

const SYSTEM_HOME = "/var/lib/notifyx";
/** Tried in this order: the first is there where a PostgreSQL was installed, the second nearly everywhere. */
const UNPRIVILEGED = ["postgres", "nobody"];

/**
 * The layout for `checkout`, whose data folder is `dataDir`. As root the folder's name depends on the password too,
 * which is kept in `dataDir`: who removes `.data` starts anew, and two checkouts never meet.
 */
export async function checkoutLayout(checkout: string, dataDir: string, password: string): Promise<PostgresLayout> {
  const user = unprivilegedUser();
  if (user === undefined) {
    const home = join(dataDir, "postgres");
    return { home, programs: home, user };
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${checkout}\n${password}`));
  const label = basename(checkout).replaceAll(/[^\w.-]/g, "_");
  const key = new Uint8Array(digest).toHex().slice(0, 12);
  return { home: join(SYSTEM_HOME, `${label}-${key}`), programs: SYSTEM_HOME, user };
}

/** Makes the layout's folders, and refuses those that another user could have planted or may write to. */
export function makeLayout({ home, programs, user }: PostgresLayout): void {
  const mode = user === undefined ? 0o700 : 0o711;
  for (const folder of new Set([programs, home])) {
    Deno.mkdirSync(folder, { recursive: true, mode });
    const found = Deno.lstatSync(folder);
    if (!found.isDirectory) throw new Error(`${folder} is not a folder`);
    if (found.uid !== null && found.uid !== Deno.uid()) throw new Error(`${folder} belongs to another user`);
    Deno.chmodSync(folder, mode);
  }
}

/** Whom PostgreSQL has to run as, or undefined if it can run as we do. */
export function unprivilegedUser(): SystemUser | undefined {
  if (Deno.uid() !== 0) return undefined;
  const accounts = Deno.readTextFileSync("/etc/passwd").split("\n").map((line) => line.split(":"));
  for (const name of UNPRIVILEGED) {
    const account = accounts.find(([login]) => login === name);
    const [uid, gid] = [Number(account?.[2]), Number(account?.[3])];
    if (uid > 0 && gid > 0) return { name, uid, gid };
  }
  throw new Error(
    `PostgreSQL can't run as root, and there is no user ${UNPRIVILEGED.join(" or ")} here: ` +
      "start as an ordinary user, or give a server in NOTIFYX_DATABASE_URL",
  );
}
