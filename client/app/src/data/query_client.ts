/** TanStack Query: what is asked over HTTP, kept and asked again; `ask` is what its queries and mutations call. */

import { QueryClient } from "@tanstack/react-query";
import { codeOf, PASSING } from "./errors.ts";
import { notifyx } from "./notifyx.ts";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => failures < 3 && PASSING.has(codeOf(error) ?? ""),
      // The library's requests fail by themselves when nobody is there, and say so.
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

/** The data of an operation. @throws an error with a code, which errorText puts into words */
export function ask<Data>(document: string, variables?: object): Promise<Data> {
  return notifyx().query<Data>(document, variables);
}
