/** The pages behind links in mails about an account, in a real browser: on a phone and on a desktop, light and dark. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { CHROMIUM, sayIfMissing, startBrowser } from "./helpers/browser.ts";
import { graphql, User } from "./helpers/client.ts";
import { linkIn, mailsTo } from "./helpers/mails.ts";
import { SmtpSink } from "./helpers/smtp_sink.ts";
import { startSystem } from "./helpers/system.ts";

sayIfMissing("account pages");

/** Pictures are left here, where somebody asks for them. */
const SCREENSHOTS = Deno.env.get("NOTIFYX_SCREENSHOTS");
const SCREENS = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } };
const LIMIT_MS = 30_000;
const REQUEST = "mutation ($email: String!) { requestPasswordReset(email: $email) }";
const LOGIN = "mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { token } }";

Deno.test({
  name: "account pages - a new user confirms their address, then forgets their password and chooses another",
  ignore: CHROMIUM === undefined,
  async fn() {
    await using sink = await SmtpSink.start();
    await using system = await startSystem({
      counts: { mail: 1 },
      env: { NOTIFYX_SMTP_URL: sink.url, NOTIFYX_CONFIRM_ADDRESSES: "on" },
    });
    await using browser = await startBrowser();
    // As long as an address may well be: it is broken, not cut off.
    const ann = await User.register(
      system,
      "annofthelongnamewhosemailsaremanyandwhosedaysaretoofewtoreadthem@example.com",
    );
    const views = await Promise.all(
      Object.keys(SCREENS).flatMap((screen) =>
        (["light", "dark"] as const).map((scheme) => View.open(browser, screen as keyof typeof SCREENS, scheme))
      ),
    ) as [View, ...View[]];
    const [view] = views;
    const look = async (url: string, name: string) => {
      for (const one of views) {
        await one.page.goto(url);
        await one.look(name);
      }
    };

    const { url: confirm } = linkIn((await mailsTo(sink, ann.email, 1))[0]);
    await look(confirm, "confirm");
    await view.page.goto(confirm);
    await view.page.getByText(ann.email).waitFor();
    await view.page.getByRole("button", { name: "Confirm this address" }).click();
    await view.page.getByRole("heading", { name: "Your address is confirmed" }).waitFor();
    assert.equal(view.page.url(), new URL("confirm", confirm).href);
    await view.look("confirmed");
    await look(confirm, "unknown");

    await graphql(system.graphqlUrl, REQUEST, { email: ann.email });
    const { url: reset } = linkIn((await mailsTo(sink, ann.email, 2))[1]);
    await look(reset, "reset");
    for (const one of views) {
      await one.page.goto(reset);
      await one.choose("battery staple", "battery stable");
      await one.page.getByRole("alert").filter({ hasText: "The two passwords are not the same." }).waitFor();
      await one.look("reset-wrong");
    }
    await view.choose("battery staple", "battery staple");
    await view.page.getByRole("heading", { name: "Your password is changed" }).waitFor();
    assert.ok(!/token/.test(view.page.url()), view.page.url());
    await view.look("replaced");
    assert.equal(await ann.code("{ me { id } }"), "UNAUTHENTICATED");
    const login = await graphql(system.graphqlUrl, LOGIN, { email: ann.email, password: "battery staple" });
    assert.ok(login.data.login.token);
  },
});

/** A page of one size and scheme, whose complaints, such as of what its policy forbids, fail the test. */
class View {
  private constructor(readonly page: Page, readonly name: string, readonly width: number) {}

  static async open(browser: Browser, screen: keyof typeof SCREENS, colorScheme: "light" | "dark"): Promise<View> {
    const context = await browser.newContext({ viewport: SCREENS[screen], colorScheme, locale: "en-GB" });
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    const complain = (text: string) => assert.fail(text);
    page.on("pageerror", ({ message }) => complain(message));
    // A browser complains of any 400 and 404 as well.
    page.on("console", (message) => /status of 40/.test(message.text()) || complain(message.text()));
    return new View(page, `${screen}-${colorScheme}`, SCREENS[screen].width);
  }

  /** Nothing is wider than the screen. */
  async look(what: string): Promise<void> {
    assert.equal(await this.page.evaluate("document.documentElement.scrollWidth"), this.width, `${what} ${this.name}`);
    if (SCREENSHOTS === undefined) return;
    await Deno.mkdir(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `account-${what}-${this.name}.png`) });
  }

  async choose(password: string, repeated: string): Promise<void> {
    await this.page.getByLabel("New password").fill(password);
    await this.page.getByLabel("The same again").fill(repeated);
    await this.page.getByRole("button", { name: "Change the password" }).click();
  }
}
