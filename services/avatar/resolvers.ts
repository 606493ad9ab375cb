/** `User.avatarUrl`: where a user's picture is. */

import { type AvatarArguments, avatarUrl } from "../../kit/avatar_url.ts";
import { UserError } from "../../kit/errors.ts";

/** The most ids that the gateway asks for at once. */
const BATCH_LIMIT = 1_000;

/** @param base where people reach the gateway */
export function avatarResolvers(base: string) {
  return {
    Query: {
      // Clients reach this only by a user that they may see.
      _users(_: unknown, { ids }: { ids: readonly string[] }) {
        if (ids.length > BATCH_LIMIT) throw new UserError("BAD_USER_INPUT", `ids names at most ${BATCH_LIMIT} users`);
        return ids.map((id) => ({ id }));
      },
    },
    User: { avatarUrl: ({ id }: { id: string }, asked: AvatarArguments) => avatarUrl(base, id, asked) },
  };
}
