/** Icons, drawn on a grid of 24 by 24. They are decoration: what they stand for is said in words beside them, or in a label. */

import type { ReactNode } from "react";

export interface IconProps {
  readonly size?: number;
}

function icon(shape: ReactNode) {
  return ({ size = 20 }: IconProps) => (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {shape}
    </svg>
  );
}

export const InboxIcon = icon(<path d="M3 13h5l1.5 3h5L16 13h5M5.5 5h13L21 13v6H3v-6z" />);
export const TopicIcon = icon(<path d="M9.5 4L7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16" />);
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const SettingsIcon = icon(
  <path d="M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8 14.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z" />,
);
export const CheckIcon = icon(<path d="M5 12.5l4.5 4.5L19 7.5" />);
export const CheckAllIcon = icon(<path d="M2.5 12.5L7 17l8.5-9M12 16l1 1 8.5-9" />);
export const SearchIcon = icon(<path d="M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.5 15.5L20 20" />);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const BackIcon = icon(<path d="M19 12H5M11 6l-6 6 6 6" />);
export const UpIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const SignOutIcon = icon(<path d="M14 5H6v14h8M10 12h11M17 8l4 4-4 4" />);
export const KeyboardIcon = icon(<path d="M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M17 14h.01M7 14h.01M10 14h4" />);
export const BellIcon = icon(<path d="M6 10a6 6 0 0 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7zM10 20h4" />);
export const WarningIcon = icon(<path d="M12 4l9 16H3zM12 10v4M12 17h.01" />);
export const OfflineIcon = icon(
  <path d="M3 3l18 18M9 13a5 5 0 0 1 6 0M5.5 9.5a10 10 0 0 1 4-2.2M13 7a10 10 0 0 1 5.5 2.5M12 17h.01" />,
);
export const SoundIcon = icon(<path d="M4 10v4h3l5 4V6l-5 4zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11" />);
export const ComposeIcon = icon(<path d="M4 20h4L19 9l-4-4L4 16zM13 7l4 4" />);
export const SentIcon = icon(<path d="M21 3L10 14M21 3l-7 18-4-7-7-4z" />);
export const ServersIcon = icon(<path d="M4 4h16v7H4zM4 13h16v7H4zM8 7.5h.01M8 16.5h.01" />);
export const UndoIcon = icon(<path d="M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3" />);
export const OpenIcon = icon(<path d="M14 4h6v6M20 4l-9 9M18 14v6H4V6h6" />);
