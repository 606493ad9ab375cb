/**
 * Where a user's picture is: made of the id alone, so that it is the same for ever and nobody has to be asked. The avatar service answers
 * with it, and the gateway where many subscribers are told the same.
 */

import { UserError } from "./errors.ts";
import { isUuid } from "./ids.ts";

export const AVATAR_STYLES = ["GITHUB", "IDENTICON", "INITIALS"] as const;
export type AvatarStyle = typeof AVATAR_STYLES[number];

/** Of a picture's width and height, in pixels. */
export const LEAST_AVATAR_SIZE = 16;
export const MOST_AVATAR_SIZE = 512;
export const AVATAR_DEFAULTS = { size: 128, style: "GITHUB" } as const;

export interface AvatarArguments {
  readonly size?: number | null;
  readonly style?: AvatarStyle | null;
}

/**
 * Null for what is no id. @param base where people reach the gateway, as publicUrl says
 * @throws UserError `BAD_USER_INPUT` for a wrong size
 */
export function avatarUrl(base: string, id: string, { size, style }: AvatarArguments): string | null {
  const query = `size=${avatarSize(size ?? AVATAR_DEFAULTS.size)}&style=${style ?? AVATAR_DEFAULTS.style}`;
  return isUuid(id) ? `${base}/avatars/${id.toLowerCase()}.png?${query}` : null;
}

/** @throws UserError `BAD_USER_INPUT` where it is no size of a picture */
export function avatarSize(size: number): number {
  if (Number.isInteger(size) && size >= LEAST_AVATAR_SIZE && size <= MOST_AVATAR_SIZE) return size;
  const takes = `a whole number from ${LEAST_AVATAR_SIZE} to ${MOST_AVATAR_SIZE}`;
  throw new UserError("BAD_USER_INPUT", `size takes ${takes}`);
}
