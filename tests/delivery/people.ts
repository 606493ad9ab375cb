/** Many users at once, made in the databases: registering each would take a core for a while, for its password's hash. */

import { DAY } from "../../kit/time.ts";
import { User } from "../helpers/client.ts";
import type { System } from "../helpers/system.ts";

/** Users with an open session; nobody knows their passwords. */
export async function people(system: System, count: number): Promise<User[]> {
  const users = Array.from({ length: count }, (_, nth) => {
    const token = crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
    const id = crypto.randomUUID();
    return new User(system.graphqlUrl, id, `person${nth}-${id.slice(0, 8)}@example.com`, token);
  });
  const hashes = await Promise.all(users.map(async ({ token }) => {
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
    return new Uint8Array(hash).toHex();
  }));
  const [ids, emails] = [users.map(({ id }) => id), users.map(({ email }) => email)];
  const sql = system.database("auth");
  await sql`insert into users (id, email, email_key, password_hash)
    select id, email, email, 'none' from unnest(${ids}::uuid[], ${emails}::text[]) as one (id, email)`;
  await sql`insert into sessions (id, user_id, token_hash, expires_at)
    select gen_random_uuid(), id, decode(hash, 'hex'), ${new Date(Date.now() + DAY)}
      from unnest(${ids}::uuid[], ${hashes}::text[]) as one (id, hash)`;
  return users;
}
