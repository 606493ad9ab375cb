/** Auth's GraphQL (schema/auth.graphql): who users are, and how they sign in. */

import type { IResolvers } from "@graphql-tools/utils";
import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid, newId } from "../../kit/ids.ts";
import type { Logger } from "../../kit/log.ts";
import {
  type Connection,
  connection,
  decodeCursor,
  encodeCursor,
  PAGE_LIMIT,
  pageSize,
  unknownCursor,
} from "../../kit/paging.ts";
import { requireViewer, type SubgraphContext } from "../../kit/subgraph.ts";
import { confirmAddress, confirmedAmong } from "./account/confirmation.ts";
import type { AccountRequests } from "./account/requests.ts";
import { resetPassword } from "./account/reset.ts";
import { checkNewEmail, checkNewPassword, checkText, EMAIL_LIMIT, emailKey, isEmail } from "./credentials.ts";
import { KnownUsers } from "./known_users.ts";
import { logins, registrations } from "./metrics.ts";
import type { Passwords } from "./passwords.ts";
import { beginSession, endOtherSessions, endSession, endSessionOf, type NewSession, openSessions } from "./sessions.ts";
import { addUser, findAccount, findUsers, replacePasswordHash, type User, Users } from "./store.ts";

export interface ResolversOptions {
  readonly sql: Sql;
  readonly passwords: Passwords;
  /** How long a session lasts. */
  readonly sessionSeconds: number;
  /** Whether users' addresses are to be confirmed. */
  readonly confirmAddresses: boolean;
  /** Sends mails with links. */
  readonly requests: Pick<AccountRequests, "ask" | "sendLink">;
  readonly log: Logger;
}

interface Credentials {
  readonly email: string;
  readonly password: string;
}
interface UsersArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly search?: string | null;
}
type SignedIn = NewSession & { readonly user: User };

export function authResolvers(options: ResolversOptions): IResolvers<unknown, SubgraphContext> {
  const { sql } = options;
  const users = new Users(sql);
  const known = new KnownUsers((ids) => findUsers(sql, ids));
  const mayGetMail = async (userId: string) =>
    !options.confirmAddresses || (await confirmedAmong(sql, [userId])).has(userId);
  return {
    User: {
      // Their own alone. Whose identity says that it isn't may have confirmed it since then.
      addressConfirmed: ({ id }: User, _, { viewer }) =>
        viewer?.userId === id ? !viewer.unconfirmed || mayGetMail(id) : null,
    },
    Query: {
      me: async (_, __, context) => {
        const user = await known.one(requireViewer(context).userId);
        if (user === null) throw new UserError("UNAUTHENTICATED", "this user is no more");
        return user;
      },
      user: (_, { id }: { id: string }, context) => {
        requireViewer(context);
        return known.one(id);
      },
      users: (_, args: UsersArguments, context) => {
        requireViewer(context);
        return usersPage(users, args);
      },
      sessions: async (_, __, context) => {
        const { userId, sessionId } = requireViewer(context);
        const all = await openSessions(sql, userId);
        return all.map((one) => ({ ...one, current: one.id === sessionId }));
      },
      _users: (_, { ids }: { ids: readonly string[] }, context) => {
        requireViewer(context);
        if (ids.length > PAGE_LIMIT) throw new UserError("BAD_USER_INPUT", `ids takes at most ${PAGE_LIMIT} ids`);
        return known.all(ids);
      },
    },
    Mutation: {
      register: (_, credentials: Credentials) => register(options, credentials),
      login: (_, credentials: Credentials) => login(options, credentials),
      logout: async (_, __, context) => {
        const { sessionId } = requireViewer(context);
        if (await endSession(sql, sessionId)) return true;
        throw new UserError("UNAUTHENTICATED", "the session has ended");
      },
      endSession: (_, { id }: { id: string }, context) => endSessionOf(sql, requireViewer(context).userId, id),
      endOtherSessions: (_, __, context) => {
        const { userId, sessionId } = requireViewer(context);
        return endOtherSessions(sql, userId, sessionId);
      },
      requestAddressConfirmation: async (_, __, context) => {
        const { userId } = requireViewer(context);
        const user = await known.one(userId);
        if (user === null) throw new UserError("UNAUTHENTICATED", "this user is no more");
        if (await mayGetMail(userId)) return true;
        await options.requests.ask("confirm", emailKey(user.email));
        return true;
      },
      confirmAddress: async (_, { token }: { token: string }) => {
        await confirmAddress(sql, token);
        return true;
      },
      requestPasswordReset: async (_, { email }: { email: string }) => {
        await options.requests.ask("reset", emailKey(checkNewEmail(email)));
        return true;
      },
      resetPassword: async (_, { token, password }: { token: string; password: string }) => {
        await resetPassword(options, token, password);
        return true;
      },
    },
  };
}

async function register(options: ResolversOptions, given: Credentials): Promise<SignedIn> {
  const { sql, passwords, sessionSeconds, confirmAddresses, requests } = options;
  const email = checkNewEmail(given.email);
  checkNewPassword(given.password);
  const passwordHash = await passwords.hash(given.password);
  // Both or neither: someone who registered and got no session would find the address taken when asking again.
  const session = await sql.begin(async (transaction) => {
    const inside = transaction as unknown as Sql;
    const user = await addUser(inside, { id: newId(), email, emailKey: emailKey(email), passwordHash });
    if (user === undefined) throw new UserError("CONFLICT", "someone has registered with this e-mail address");
    if (confirmAddresses) await requests.sendLink(inside, "confirm", user);
    return { ...await beginSession(inside, user.id, sessionSeconds), user };
  });
  registrations.inc();
  return session;
}

/** An unknown address and a wrong password get the same answer in the same time: one hash is computed in either case. */
async function login(options: ResolversOptions, { email, password }: Credentials): Promise<SignedIn> {
  const { sql, passwords, sessionSeconds } = options;
  checkText("email", email);
  checkText("password", password);
  const account = isEmail(email.trim()) ? await findAccount(sql, emailKey(email)) : undefined;
  const matches = await passwords.verify(account?.passwordHash, password);
  if (account === undefined || !matches) throw wrongLogin();
  if (passwords.isStale(account.passwordHash)) await rehash(options, account.user.id, account.passwordHash, password);
  const session = await beginSession(sql, account.user.id, sessionSeconds, account.passwordVersion);
  if (session === undefined) throw wrongLogin();
  logins.inc({ outcome: "good" });
  return { ...session, user: account.user };
}

function wrongLogin(): UserError {
  logins.inc({ outcome: "wrong" });
  return new UserError("UNAUTHENTICATED", "wrong e-mail address or password");
}

/** The login is good without it: the next one tries again. */
async function rehash({ sql, passwords, log }: ResolversOptions, userId: string, before: string, password: string) {
  try {
    await replacePasswordHash(sql, userId, before, await passwords.hash(password));
  } catch (error) {
    log.warning("a password's hash stays as it is: {error}", { error });
  }
}

async function usersPage(users: Users, { first, after, search }: UsersArguments): Promise<Connection<User>> {
  const size = pageSize(first);
  const [afterId] = after == null ? [] : decodeCursor(after, 1);
  if (afterId !== undefined && !isUuid(afterId)) throw unknownCursor();
  checkText("search", search ?? "");
  if ((search?.length ?? 0) > EMAIL_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `search takes up to ${EMAIL_LIMIT} characters`);
  }
  const rows = await users.list({ limit: size + 1, afterId, search: emailKey(search ?? "") });
  return connection(rows, size, (user) => encodeCursor([user.id]));
}
