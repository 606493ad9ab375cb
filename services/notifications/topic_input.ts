/** What may be given of a topic: its name, how long it keeps notifications, and what is searched for. */

import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { characters, isStorable } from "../../kit/text.ts";

/** The longest name of a topic, in characters. */
const NAME_LIMIT = 100;
/** The longest time for which a topic keeps its notifications, in days; migrations/000003_topics.sql has it as well. */
const RETENTION_DAYS_LIMIT = 3_650;
/** The most users that one invitation may name. */
const INVITATION_LIMIT = 1_000;

/** The name as it is stored: without the blanks around it. @throws UserError `BAD_USER_INPUT` */
export function checkName(name: string): string {
  if (!isStorable(name)) {
    throw new UserError("BAD_USER_INPUT", "a name must be text without NUL characters or half surrogates");
  }
  const trimmed = name.trim();
  const length = characters(trimmed);
  if (length < 1 || length > NAME_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `a topic's name has 1 to ${NAME_LIMIT} characters`);
  }
  return trimmed;
}

/** @throws UserError `BAD_USER_INPUT` */
export function checkRetentionDays(days: number): void {
  if (days >= 1 && days <= RETENTION_DAYS_LIMIT) return;
  throw new UserError(
    "BAD_USER_INPUT",
    `retentionDays is ${days}; it takes a number from 1 to ${RETENTION_DAYS_LIMIT}`,
  );
}

/** What to look for in names; empty is everything. @throws UserError `BAD_USER_INPUT` */
export function checkSearch(search: string): string {
  if (!isStorable(search)) {
    throw new UserError("BAD_USER_INPUT", "search must be text without NUL characters or half surrogates");
  }
  const trimmed = search.trim();
  if (trimmed.length > 2 * NAME_LIMIT || characters(trimmed) > NAME_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `search takes up to ${NAME_LIMIT} characters`);
  }
  return trimmed;
}

/** Each once. Whether there are such users only auth knows. @throws UserError `BAD_USER_INPUT` for too many, and for what is no id */
export function checkUserIds(ids: readonly string[]): string[] {
  const unique = [...new Set(ids.map((id) => id.toLowerCase()))];
  if (unique.length > INVITATION_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `userIds names at most ${INVITATION_LIMIT} users`);
  }
  const unknownIds = unique.filter((id) => !isUuid(id));
  if (unknownIds.length > 0) {
    const shown = unknownIds.slice(0, 20).map((id) => id.slice(0, 64)).join(", ");
    throw new UserError("BAD_USER_INPUT", `no user's id: ${shown}`, { unknownIds });
  }
  return unique;
}
