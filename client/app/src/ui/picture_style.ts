/** In which of the avatar service's styles people's pictures are shown in this browser. */

import type { AvatarStyle } from "../../../lib/schema.ts";
import { Store } from "../data/store.ts";

export const PICTURE_STYLES = ["GITHUB", "IDENTICON", "INITIALS"] as const satisfies readonly AvatarStyle[];

const KEPT_AS = "notifyx:pictures";

export const pictureStyle = new Store<AvatarStyle>(
  PICTURE_STYLES.find((one) => one === localStorage.getItem(KEPT_AS)) ?? "GITHUB",
);

export function choosePictureStyle(style: AvatarStyle): void {
  localStorage.setItem(KEPT_AS, style);
  pictureStyle.set(style);
}
