/** The pages that the navigation names, in their order. A page is one entry here and one route in router.tsx. */

import type { ComponentType } from "react";
import type { TextKey } from "./strings/strings.ts";
import { ComposeIcon, type IconProps, InboxIcon, SentIcon, ServersIcon, TopicIcon } from "./ui/icons.tsx";

export interface PageEntry {
  readonly to: string;
  readonly label: TextKey;
  readonly icon: ComponentType<IconProps>;
  /** The key that goes there after `g`. */
  readonly key: string;
}

export const PAGES: readonly PageEntry[] = [
  { to: "/inbox", label: "inbox.title", icon: InboxIcon, key: "i" },
  { to: "/compose", label: "compose.title", icon: ComposeIcon, key: "c" },
  { to: "/sent", label: "sent.title", icon: SentIcon, key: "s" },
  { to: "/topics", label: "topics.title", icon: TopicIcon, key: "t" },
  { to: "/system", label: "system.title", icon: ServersIcon, key: "y" },
];
