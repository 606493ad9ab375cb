/** Auth without its process: its routes and its GraphQL, over a real PostgreSQL. */

import { getLogger } from "@logtape/logtape";
import type { Sql } from "../../../kit/database.ts";
import { createApp } from "../../../kit/http.ts";
import { IdentityVerifier } from "../../../kit/identity.ts";
import { serveSubgraph } from "../../../kit/subgraph.ts";
import { withDatabase } from "../../../kit/testing/database.ts";
import sdl from "../../../schema/auth.graphql" with { type: "text" };
import { addAccountPages } from "../account/pages.ts";
import { AccountRequests } from "../account/requests.ts";
import { Identities } from "../identities.ts";
import { MIGRATIONS } from "../migrations/mod.ts";
import { Passwords } from "../passwords.ts";
import { authResolvers } from "../resolvers.ts";
import { addAuthRoutes } from "../routes.ts";

export const SECRET = "a secret of at least thirty-two characters";
export const PASSWORD = "correct horse battery";
export const REGISTER = `mutation ($email: String!, $password: String!) {
  register(email: $email, password: $password) { token expiresAt user { id email createdAt } }
}`;
export const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { token user { id email } }
}`;

export interface AuthOptions {
  readonly confirmAddresses?: boolean;
  /** How many mails of a kind one address may ask for in an hour. */
  readonly perHour?: number;
}

export type Auth = Awaited<ReturnType<typeof start>>;

async function start(sql: Sql, { confirmAddresses = false, perHour = 5 }: AuthOptions) {
  const log = getLogger("test");
  const app = createApp({ service: "auth", secret: SECRET, log, readyChecks: new Map(), statusPage: [] });
  const [identities, passwords] = await Promise.all([Identities.create(sql, confirmAddresses), Passwords.create()]);
  const requests = new AccountRequests({ sql, publicUrl: "https://notifyx.example", perHour, log });
  addAuthRoutes(app, { sql, identities, secret: SECRET, confirmAddresses, log });
  addAccountPages(app, { sql, passwords, log });
  serveSubgraph(app, {
    sdl,
    resolvers: authResolvers({ sql, passwords, sessionSeconds: 3_600, confirmAddresses, requests, log }),
    identities: new IdentityVerifier(() => Promise.resolve(identities.keys)),
    secret: SECRET,
    stopping: new AbortController().signal,
    log,
  });
  const asMember = async (path: string, body: unknown, secret = SECRET) => {
    const response = await app.request(path, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const exchange = (body: unknown, secret?: string) => asMember("/api/identity", body, secret);
  const identityOf = async (token?: string): Promise<string> => (await exchange({ token })).body.identity;
  const anonymous = await identityOf();
  /** The answer's data; or its error's code where it has one. */
  // deno-lint-ignore no-explicit-any -- whatever the query asks for
  const ask = async (query: string, variables: Record<string, unknown> = {}, identity = anonymous): Promise<any> => {
    const response = await app.request("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", "x-notifyx-identity": identity },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    return errors === undefined ? data : errors[0].extensions.code;
  };
  const register = async (email: string) => (await ask(REGISTER, { email, password: PASSWORD })).register;
  const signUp = async (email: string) => {
    const { token, user } = await register(email);
    return { token, user, identity: await identityOf(token) };
  };
  return { app, sql, passwords, requests, log, ask, asMember, exchange, identityOf, anonymous, register, signUp };
}

/** Its requests for mails are answered by `requests.answer()`, when a test says so. */
export function withAuth(use: (auth: Auth) => Promise<void>, options: AuthOptions = {}): Promise<void> {
  return withDatabase(MIGRATIONS, async (sql) => await use(await start(sql, options)));
}
