/** What the guard is told on its command line, as JSON; the password is not in it, for anyone may read a command line. */

import type { SystemUser } from "./layout.ts";

export interface GuardOptions {
  /** The folder that holds `data/`. */
  readonly home: string;
  /** The folder that holds `bin/postgres`. */
  readonly programs: string;
  readonly passwordFile: string;
  /** Whom PostgreSQL runs as; undefined is the guard's own user. */
  readonly user: SystemUser | undefined;
  /** A folder that is removed when the server is told to stop; for one that was made for a test. */
  readonly remove?: string;
  /** Settings for the server's command line; they win over what its files say. */
  readonly settings: Record<string, string>;
}
