/** The web client in a browser: one window of one person, which keeps what the browser complained of. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { buildClient } from "../../client/build/build.ts";
import { graphql, User } from "./client.ts";
import { startSystem, type System, type SystemOptions, until } from "./system.ts";

export const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
export const PASSWORD = "correct horse";
/** Pictures of each page are left here, for whoever wants to see them. */
const SCREENSHOTS = Deno.env.get("NOTIFYX_SCREENSHOTS");

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** The system with a client, which is built first where it isn't. */
export async function startWithClient({ counts, ...options }: SystemOptions = {}): Promise<System> {
  await buildClient(CHECKOUT, () => {});
  return await startSystem({ ...options, counts: { avatar: 1, client: 1, ...counts } });
}

/** Runs in the page: the messages of its rows, by their place in the list. */
const SHOWN = `[...document.querySelectorAll("[role=feed] > article")]
  .toSorted((one, other) => one.ariaPosInSet - other.ariaPosInSet)
  .map((row) => row.querySelector("p:last-of-type").textContent)`;

export interface WindowOptions extends BrowserContextOptions {
  readonly path?: string;
  /** Where the client is found, if not where it is. */
  readonly url?: string;
  /** A window in whose browser profile this one is opened. */
  readonly beside?: AppWindow;
}

export class AppWindow {
  readonly #complaints: string[] = [];
  readonly #elsewhere: string[] = [];

  private constructor(readonly context: BrowserContext, readonly page: Page, readonly url: string) {
    const { origin } = new URL(url);
    page.on("request", (request) => {
      const asked = request.url();
      if (!/^(data|blob):/.test(asked) && new URL(asked).origin !== origin) this.#elsewhere.push(asked);
    });
    page.on("pageerror", (error) => this.#complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && this.#complaints.push(message.text()));
  }

  static async open(
    browser: Browser,
    system: System,
    { path = "/", beside, url = system.url("client"), ...options }: WindowOptions = {},
  ): Promise<AppWindow> {
    const context = beside?.context ?? await browser.newContext({ viewport: DESKTOP, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const window = new AppWindow(context, page, url);
    await page.goto(window.url + path);
    // What is on its way when one goes on would be a complaint.
    await page.getByRole("heading").first().waitFor();
    return window;
  }

  /** Signs up by the page. */
  async register(email: string): Promise<void> {
    await this.page.getByRole("link", { name: "New here?" }).click();
    await this.page.getByLabel("E-mail address").fill(email);
    await this.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await this.page.getByRole("button", { name: "Create account" }).click();
    await this.inbox();
  }

  async signIn(email: string, password = PASSWORD): Promise<void> {
    await this.page.getByLabel("E-mail address").fill(email);
    await this.page.getByLabel("Password", { exact: true }).fill(password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
  }

  /** Waits until the inbox is there, and receives. */
  async inbox(): Promise<void> {
    await this.page.getByRole("heading", { name: "Inbox" }).waitFor();
    await this.page.getByText(/unseen|All seen/).first().waitFor();
  }

  /** Waits until the rows that are in view have these messages, in this order. */
  async shows(messages: readonly string[]): Promise<void> {
    let shown: unknown;
    try {
      await until("the rows", async () => {
        shown = await this.page.evaluate(SHOWN);
        return JSON.stringify(shown) === JSON.stringify(messages);
      }, 30_000);
    } catch {
      assert.deepEqual(shown, messages);
    }
  }

  async screenshot(name: string): Promise<void> {
    if (SCREENSHOTS === undefined) return;
    await Deno.mkdir(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  /** Every request went to the page's own origin, and the browser had nothing to complain of, such as the page's policy. */
  assertOnlyOurs(): void {
    assert.deepEqual(this.#elsewhere, []);
    // An answer that isn't 200, and a socket that is lost, are such lines; those are asked for here.
    const expected = /the server responded with a status of|WebSocket connection|net::ERR_/;
    assert.deepEqual(this.#complaints.filter((line) => !expected.test(line)), []);
  }
}

/** The same person by the API. */
export async function userOf(system: System, email: string): Promise<User> {
  const mutation = `mutation ($email: String!, $password: String!) {
    login(email: $email, password: $password) { token user { id } } }`;
  const { data } = await graphql(system.graphqlUrl, mutation, { email, password: PASSWORD });
  return new User(system.graphqlUrl, data.login.user.id, email, data.login.token);
}
