/** Whose session it is. The token itself is in a cookie that no script can read: `/session` makes it, and ends it. */

import { createNotifyx } from "../../../lib/mod.ts";
import { AppError, codeOf, PASSING } from "../data/errors.ts";
import { Store } from "../data/store.ts";

export interface Viewer {
  readonly id: string;
  readonly email: string;
}

export const viewer = new Store<Viewer | undefined>(undefined);

const MOST_ATTEMPTS = 4;
const AGAIN_MS = 400;

let asked: Promise<void> | undefined;

/** Resolves when it is known whether somebody is signed in. @throws AppError where it can't be found out */
export function sessionKnown(): Promise<void> {
  return asked ??= askAgain().then(({ user }) => viewer.set(user ?? undefined)).catch((error) => {
    asked = undefined;
    throw error;
  });
}

export async function signIn(action: "login" | "register", email: string, password: string): Promise<void> {
  const { user } = await ask("POST", { action, email, password });
  viewer.set(user!);
}

const leaving = new Set<(anyway: boolean) => Promise<unknown>>();

/** `finish` is waited for before the session ends: what is still to be done in it. It throws where it can't be, but `anyway`. */
export function beforeSignOut(finish: (anyway: boolean) => Promise<unknown>): void {
  leaving.add(finish);
}

/**
 * The page is loaded anew, so that nothing of the one who leaves stays in its memory, or with its tab.
 * @throws AppError `UNSENT` where something waits to be sent, which is lost if one leaves `anyway`
 */
export async function signOut(anyway: boolean): Promise<void> {
  await Promise.all([...leaving].map((finish) => finish(anyway)));
  await ask("DELETE");
  sessionStorage.clear();
  location.assign("/sign-in");
}

/** Has a link to choose a new password sent, if someone has that address. @throws NotifyxError */
export async function requestPasswordReset(email: string): Promise<void> {
  // Of its own, since nobody is signed in, and the app's is for whoever is then.
  const client = createNotifyx({ url: "/graphql" });
  try {
    await client.query("mutation ($email: String!) { requestPasswordReset(email: $email) }", { email });
  } finally {
    client.close();
  }
}

/** Somebody ended it elsewhere, or its time was over. */
export async function sessionEnded(): Promise<void> {
  // Has the server forget the cookie.
  await ask("GET").catch((error) => codeOf(error));
  const to = location.pathname + location.search;
  location.assign(`/sign-in?ended=true&to=${encodeURIComponent(to)}`);
}

/** A server that is just being started again is no reason for a page that says so. */
async function askAgain(): Promise<{ user: Viewer | null }> {
  for (let attempt = 1;; attempt++) {
    try {
      return await ask("GET");
    } catch (error) {
      if (attempt === MOST_ATTEMPTS || !PASSING.has(codeOf(error) ?? "")) throw error;
      await new Promise((resolve) => setTimeout(resolve, attempt * AGAIN_MS));
    }
  }
}

async function ask(method: string, body?: unknown): Promise<{ user: Viewer | null }> {
  let response: Response;
  let answer;
  try {
    response = await fetch("/session", {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
    answer = response.status === 204 ? { user: null } : await response.json();
  } catch (error) {
    throw new AppError("UNREACHABLE", String(error));
  }
  if (!response.ok) throw new AppError(answer.code, answer.error);
  return answer;
}
