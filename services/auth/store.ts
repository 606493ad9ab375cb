/** Users in PostgreSQL. */

import type { Sql } from "../../kit/database.ts";
import { isUuid } from "../../kit/ids.ts";
import { containing, SEARCH_FALLBACK_ROWS, SEARCH_NEAR_ROWS, SearchIndex } from "../../kit/search.ts";

export interface User {
  readonly id: string;
  readonly email: string;
  readonly createdAt: Date;
}

export interface Account {
  readonly user: User;
  readonly passwordHash: string;
  /** Another one once a forgotten password was replaced. */
  readonly passwordVersion: number;
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
  const [row] = await sql<(User & Omit<Account, "user">)[]>`
    select id, email, created_at as "createdAt", password_hash as "passwordHash", password_version as "passwordVersion"
    from users where email_key = ${emailKey}`;
  if (row === undefined) return undefined;
  const { passwordHash, passwordVersion, ...user } = row;
  return { user, passwordHash, passwordVersion };
}

/** Takes the place of `before`, unless another has by now. */
export async function replacePasswordHash(sql: Sql, userId: string, before: string, after: string): Promise<void> {
  await sql`update users set password_hash = ${after} where id = ${userId} and password_hash = ${before}`;
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
  /** What their address holds, in the form of an `emailKey`. */
  readonly search?: string;
}

/** Users in the order in which they registered. What many addresses hold is found among the nearest; what few do, by the index. */
export class Users {
  readonly #index: SearchIndex;

  constructor(private readonly sql: Sql) {
    this.#index = new SearchIndex(sql, "users_search");
  }

  async list({ limit, afterId, search = "" }: UserList): Promise<User[]> {
    const { sql } = this;
    const behind = sql`${afterId === undefined ? sql`true` : sql`id > ${afterId}`}`;
    const holds = sql`email_key like ${containing(search)}`;
    const columns = sql`id, email, created_at as "createdAt"`;
    if (search === "") {
      return await sql<User[]>`select ${columns} from users where ${behind} order by id limit ${limit}`;
    }
    const amongNearest = (rows: number) =>
      sql<User[]>`with nearest as (select * from users where ${behind} order by id limit ${rows})
        select ${columns} from nearest where ${holds} order by id limit ${limit}`;
    const near = await amongNearest(SEARCH_NEAR_ROWS);
    if (near.length === limit) return near;
    if (!await this.#index.serves(search)) return await amongNearest(SEARCH_FALLBACK_ROWS);
    // Materialized, or the planner might well walk through all users in their order instead of asking the index.
    return await sql<User[]>`with found as materialized (select * from users where ${behind} and ${holds})
      select ${columns} from found order by id limit ${limit}`;
  }
}
