/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Starts the app. */

import "./mantine.ts";
import "./global.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./data/query_client.ts";
import { router } from "./router.tsx";
import { cssVariables, theme } from "./theme.ts";

const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";

// For the style by which an open dialog holds the page behind it, which npm get-nonce asks here for.
Object.assign(globalThis, { __webpack_nonce__: nonce });

// After another build was put in place, parts of this one may be gone: the page is loaded anew, where they are asked for.
// Not without a connection: there is nothing to be had then.
addEventListener("vite:preloadError", () => navigator.onLine && location.reload());

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
