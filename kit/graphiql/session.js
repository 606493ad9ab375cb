// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="esnext" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The bar above GraphiQL: registers, signs in and out by the API that is on the page's own URL. The token is this tab's alone, so two
 * tabs may be two users.
 */

const STORED = "notifyx:session";
/** @typedef {{ email: string, token: string }} Session */

export class SessionBar {
  /** @type {Session | undefined} */
  #session;
  #bar;
  #form;

  /** @param {HTMLElement} bar */
  constructor(bar) {
    this.#bar = bar;
    this.#form = /** @type {HTMLFormElement} */ (bar.querySelector("form"));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#busy(() => this.#signIn(event.submitter?.getAttribute("name") === "register" ? "register" : "login"));
    });
    this.#find("#signed-in button").addEventListener("click", () => this.#busy(() => this.#signOut()));
  }

  /** The header that signs a request in; undefined for an anonymous user. */
  get authorization() {
    return this.#session && `Bearer ${this.#session.token}`;
  }

  /** Takes up the session that this tab had before it was loaded anew, if it still goes on. */
  async resume() {
    const stored = sessionStorage.getItem(STORED);
    if (stored !== null) this.#session = JSON.parse(stored);
    if (this.#session !== undefined) {
      const { code } = await this.#ask("{ me { id } }");
      if (code === "UNAUTHENTICATED") {
        this.#keep(undefined);
        this.#say("Your session has ended. Please sign in again.");
      }
    }
    this.#show();
  }

  /** @param {"login" | "register"} field */
  async #signIn(field) {
    const { email, password } = Object.fromEntries(new FormData(this.#form));
    const query = `mutation ($email: String!, $password: String!) {
      ${field}(email: $email, password: $password) { token user { email } }
    }`;
    const { data, message } = await this.#ask(query, { email, password });
    const session = data?.[field];
    if (!session) return this.#say(message, true);
    this.#keep({ token: session.token, email: session.user.email ?? email });
    this.#form.reset();
    this.#say(field === "register" ? "Welcome!" : "");
    this.#show();
    this.#find("#signed-in button").focus();
  }

  async #signOut() {
    const { message, code } = await this.#ask("mutation { logout }");
    this.#keep(undefined);
    const ended = message === "" || code === "UNAUTHENTICATED";
    this.#say(ended ? "Signed out." : `Signed out here, but the session goes on at the server: ${message}`, !ended);
    this.#show();
    this.#find("input").focus();
  }

  /**
   * @param {string} query
   * @param {Record<string, unknown>} variables
   * @returns {Promise<{ data?: any, code?: string, message: string }>}
   */
  async #ask(query, variables = {}) {
    try {
      const response = await fetch(location.pathname, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...this.authorization && { authorization: this.authorization },
        },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = await response.json();
      return { data, code: errors?.[0]?.extensions?.code, message: errors?.[0]?.message ?? "" };
    } catch {
      return { message: "The server can't be reached." };
    }
  }

  /** @param {Session | undefined} session */
  #keep(session) {
    this.#session = session;
    if (session === undefined) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, JSON.stringify(session));
  }

  #show() {
    this.#form.hidden = this.#session !== undefined;
    this.#find("#signed-in").hidden = this.#session === undefined;
    this.#find("#signed-in b").textContent = this.#session?.email ?? "";
  }

  /** @param {string} text */
  #say(text, wrong = false) {
    const said = this.#find("#said");
    said.textContent = text;
    said.classList.toggle("wrong", wrong);
  }

  /** @param {() => Promise<void>} work */
  async #busy(work) {
    if (this.#bar.ariaBusy === "true") return;
    this.#bar.ariaBusy = "true";
    this.#say("");
    try {
      await work();
    } finally {
      this.#bar.ariaBusy = "false";
    }
  }

  /** @param {string} selector */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.#bar.querySelector(selector));
  }
}
