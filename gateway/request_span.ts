/** The span with which an operation begins here, by HTTP or over a socket: what it says of it. */

import { type DocumentNode, getOperationAST } from "graphql";
import type { Span } from "../kit/tracing/mod.ts";

/** What is asked for, once the document is known. */
export function nameOperation(span: Span | undefined, document: DocumentNode, name: string | null | undefined): void {
  if (span === undefined) return;
  span.set("graphql.operation.type", getOperationAST(document, name)?.operation ?? "none");
  if (name != null) span.set("graphql.operation.name", name);
}

/** What is wrong with a question is no fault of ours: by HTTP's conventions for spans only a 5xx has failed. */
export function endRequest(span: Span, status: number): void {
  span.set("http.response.status_code", status);
  span.end(status >= 500 ? new Error(`answered ${status}`) : undefined);
}
