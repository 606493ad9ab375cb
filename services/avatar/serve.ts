/**
 * The short way of what is nearly every request: a picture that is kept, or that the client has. It goes past Hono and its middleware.
 * All else goes through the app, and means the same.
 */

import { httpDuration } from "../../kit/metrics.ts";
import { type Series, seriesOf } from "../../kit/metrics/held_series.ts";
import { type Listen, listenWithDeno } from "../../kit/service.ts";
import { SECOND } from "../../kit/time.ts";
import type { Gallery } from "./gallery.ts";
import { type Picture, pictureOf, PREFIX } from "./picture.ts";
import { atOnce } from "./routes.ts";

/** The label of the app's own route. */
const ROUTE = `${PREFIX}:file`;

export function listenShort(gallery: Gallery): Listen {
  return (app, hostname, port) => listenWithDeno(app, hostname, port, (request) => short(request, gallery));
}

function short(request: Request, gallery: Gallery): Response | undefined {
  const { method, url } = request;
  const start = url.indexOf("/", "http://".length);
  if (method !== "GET" && method !== "HEAD" || !url.startsWith(PREFIX, start)) return undefined;
  const began = performance.now();
  const end = url.indexOf("?", start);
  const path = url.slice(start, end < 0 ? undefined : end);
  const query = end < 0 ? "" : url.slice(end + 1);
  let picture: Picture;
  try {
    picture = pictureOf(path, query);
  } catch {
    // The app says what is wrong.
    return undefined;
  }
  const ifNoneMatch = request.headers.get("if-none-match") ?? undefined;
  const response = atOnce({ method, path, query, ifNoneMatch }, picture, gallery);
  if (response !== undefined) observe(method, response.status, (performance.now() - began) / SECOND);
  return response;
}

const observers = new Map<string, Series>();

/** Looked up by its labels once, not at each request. */
function observe(method: string, status: number, seconds: number): void {
  const key = `${method} ${status}`;
  let found = observers.get(key);
  if (found === undefined) {
    found = seriesOf(httpDuration, { method, route: ROUTE, status: `${status}` });
    observers.set(key, found);
  }
  found.observe(seconds);
}
