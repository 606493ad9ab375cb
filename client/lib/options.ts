/** What `createNotifyx` takes, and what is made of it where something is left out. */

import type { CursorStore } from "./cursors.ts";
import { NotifyxError } from "./errors.ts";
import { type Timing, within } from "./timing.ts";

export interface NotifyxOptions {
  /** The gateway's `/graphql`, by http: or ws:; in a page also a path. */
  readonly url: string;
  /** A session's token, or what gives it. Without one nothing is sent: the page's own server knows the session by a cookie. */
  readonly token?: string | (() => string | Promise<string>);
  /** Where the place in the feed is kept: a key in localStorage, or a store of one's own. Default: this client's memory */
  readonly cursor?: string | CursorStore;
  /**
   * Tabs of one origin share one socket; a text names the user, where several may be signed in at once without tokens. Where there are
   * no Web Locks or BroadcastChannel each has its own. Default false
   */
  readonly tabs?: boolean | string;
  /** How many sends may wait for their answer, and how many acknowledgements; beyond it is `QUEUE_FULL`. Default 1000 */
  readonly queue?: number;
  readonly timing?: Partial<Timing>;
  readonly fetch?: typeof fetch;
  /** The class of WebSockets where there is none, such as that of npm `ws` before Node 22. */
  readonly webSocketImpl?: unknown;
}

/** The same place by http: and by ws:. @throws TypeError where it is none */
export function urlsOf(url: string): { readonly http: string; readonly ws: string } {
  const { href } = new URL(url, globalThis.location?.href);
  return { http: href.replace(/^ws/, "http"), ws: href.replace(/^http/, "ws") };
}

/**
 * What goes into `authorization`; undefined without a token.
 * @throws NotifyxError `UNREACHABLE` or `TIMEOUT`, by which it is tried again, where the app's own function fails
 */
export async function authorizationOf(token: NotifyxOptions["token"], limitMs: number): Promise<string | undefined> {
  if (typeof token !== "function") return token && `Bearer ${token}`;
  try {
    return `Bearer ${await within("token()", limitMs, (async () => await token())())}`;
  } catch (error) {
    if (error instanceof NotifyxError) throw error;
    throw new NotifyxError("UNREACHABLE", `token() failed: ${error}`);
  }
}

/** A key for sends; `crypto.randomUUID` is there on secure pages alone. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}

/** What tabs of the same user share, and those of others don't: a token stands in it as its hash. */
export async function tabsName(url: string, { tabs, token }: NotifyxOptions): Promise<string> {
  const user = tabs === true ? token : tabs;
  if (typeof user !== "string") return `notifyx ${url}`;
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(user));
  return `notifyx ${url} ${Array.from(new Uint8Array(hash), (byte) => byte.toString(36)).join("")}`;
}
