/** Mantine's theme: colours, and those of its variables whose own values have too little contrast for WCAG 2.2 AA. */

import { createTheme, type CSSVariablesResolver, Modal } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "iris",
  primaryShade: { light: 6, dark: 7 },
  colors: {
    iris: [
      "#f1f1ff",
      "#e0e0fb",
      "#bebdf3",
      "#9a99ec",
      "#7f7de8",
      "#6664e4",
      "#4c4fd6",
      "#4346bf",
      "#3a3da8",
      "#2f328c",
    ],
    // Cooler than Mantine's own, and darker at the end, for more depth.
    dark: [
      "#d3d6de",
      "#b3b8c4",
      "#9aa0ae",
      "#6b7180",
      "#40454f",
      "#343842",
      "#272a32",
      "#1c1f25",
      "#16181d",
      "#101216",
    ],
  },
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({ styles: { title: { fontSize: "var(--mantine-font-size-lg)", fontWeight: 650 } } }),
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#565d68",
    "--mantine-color-placeholder": "#666d78",
    "--mantine-color-error": "#c92a2a",
    "--app-line": "#e4e6eb",
    "--app-raised": "#ffffff",
    "--app-sunken": "#f6f7f9",
    "--app-hover": "#f3f4f7",
    "--app-active": "#ececfd",
    "--app-accent": "#4c4fd6",
  },
  dark: {
    "--mantine-color-dimmed": "#a3a9b6",
    "--mantine-color-placeholder": "#9aa0ae",
    "--mantine-color-error": "#ff8787",
    "--app-line": "#2b2f37",
    "--app-raised": "#1c1f25",
    "--app-sunken": "#121418",
    "--app-hover": "#20232a",
    "--app-active": "#282a47",
    "--app-accent": "#a5a4f2",
  },
});
