/** Users in PostgreSQL. */

import type { Sql } from "../../kit/database.ts";
import { isUuid } from "../../kit/ids.ts";

export interface User {
  readonly id: string;
  readonly email: string;
  readonly createdAt: Date;
}

export interface Account {
  readonly user: User;
  readonly passwordHash: string;
}

export interface NewUser {
  readonly id: string;
  readonly email: string;
  readonly emailKey: string;
  readonly passwordHash: string;
}

/** The new user, or `undefined` if the address is taken. */
export async function addUser(sql: Sql, { id, email, emailKey, passwordHash }: NewUser): Promise<User | undefined> {
  const [user] = await sql<User[]>`
    insert into users (id, email, email_key, password_hash) values (${id}, ${email}, ${emailKey}, ${passwordHash})
    on conflict (email_key) do nothing
    returning id, email, created_at as "createdAt"`;
  return user;
}

export async function findAccount(sql: Sql, emailKey: string): Promise<Account | undefined> {
  const [row] = await sql<(User & { passwordHash: string })[]>`
    select id, email, created_at as "createdAt", password_hash as "passwordHash" from users where email_key = ${emailKey}`;
  if (row === undefined) return undefined;
  const { passwordHash, ...user } = row;
  return { user, passwordHash };
}

/** Takes the place of `before`, unless another has by now. */
export async function replacePasswordHash(sql: Sql, userId: string, before: string, after: string): Promise<void> {
  await sql`update users set password_hash = ${after} where id = ${userId} and password_hash = ${before}`;
}

export async function findUser(sql: Sql, id: string): Promise<User | null> {
  const [user] = await findUsers(sql, [id]);
  return user ?? null;
}

/** The users of `ids`, in their order; `null` for an unknown one. */
export async function findUsers(sql: Sql, ids: readonly string[]): Promise<(User | null)[]> {
  const wanted = [...new Set(ids.filter(isUuid).map((id) => id.toLowerCase()))];
  const rows = wanted.length === 0 ? [] : await sql<User[]>`
    select id, email, created_at as "createdAt" from users where id = any(${wanted}::uuid[])`;
  const users = new Map(rows.map((user) => [user.id, user]));
  return ids.map((id) => users.get(id.toLowerCase()) ?? null);
}

export interface UserList {
  readonly limit: number;
  /** The id behind which the list goes on. */
  readonly afterId?: string;
  /** What their address holds, without regard to case. */
  readonly search?: string;
}

/** Users in the order in which they registered. */
export async function listUsers(sql: Sql, { limit, afterId, search = "" }: UserList): Promise<User[]> {
  return await sql<User[]>`
    select id, email, created_at as "createdAt" from users
    where true
      ${afterId === undefined ? sql`` : sql`and id > ${afterId}`}
      ${search === "" ? sql`` : sql`and strpos(email_key, ${search}) > 0`}
    order by id limit ${limit}`;
}
