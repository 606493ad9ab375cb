/** Someone's picture, from the avatar service; their first letter until it is there, and where it isn't. */

import { Avatar } from "@mantine/core";
import { notifyx } from "../data/notifyx.ts";
import { useStore } from "../data/store.ts";
import type { AvatarStyle } from "../../../lib/schema.ts";
import { pictureStyle } from "./picture_style.ts";

export interface PersonAvatarProps {
  readonly person: { readonly id: string; readonly email?: string | null };
  /** In pixels. */
  readonly size?: number;
  /** Where it isn't the one that was chosen. */
  readonly style?: AvatarStyle;
}

export function PersonAvatar({ person: { id, email }, size = 36, style }: PersonAvatarProps) {
  const chosen = useStore(pictureStyle);
  return (
    <Avatar
      src={notifyx().picture(id, { size: Math.min(512, size * 2), style: style ?? chosen })}
      size={size}
      radius="xl"
      alt=""
      aria-hidden="true"
    >
      {(email ?? "?").charAt(0).toUpperCase()}
    </Avatar>
  );
}
