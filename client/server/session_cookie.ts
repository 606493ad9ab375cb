/**
 * Where a browser keeps its session's token: a cookie that no script can read, sent by pages of this site alone (SameSite=Strict).
 *
 * Cookies know no ports, so the port is in the name: two systems on one machine have a session each. Behind https the prefix `__Host-`
 * has browsers refuse one that any other host, or a page without TLS, tries to put in its place.
 */

import type { RequestContext } from "../../kit/http.ts";

export class SessionCookie {
  readonly #name: string;

  constructor(port: number, private readonly isSecure: boolean) {
    this.#name = `${isSecure ? "__Host-" : ""}notifyx-session-${port}`;
  }

  /** The token in a `cookie` header. */
  token(header: string | undefined): string | undefined {
    for (const part of header?.split(";") ?? []) {
      const [name, value = ""] = part.trim().split("=", 2);
      if (name === this.#name && /^[\w.-]{1,512}$/.test(value)) return value;
    }
  }

  keep(c: RequestContext, token: string, expiresAt: Date): void {
    const seconds = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1000));
    c.header("set-cookie", this.#header(token, seconds));
  }

  forget(c: RequestContext): void {
    c.header("set-cookie", this.#header("", 0));
  }

  #header(value: string, maxAge: number): string {
    const secure = this.isSecure ? "; Secure" : "";
    return `${this.#name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
  }
}
