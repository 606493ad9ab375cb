/** Discovery's routes, over the registry and the watchers. */

import * as v from "valibot";
import { UserError } from "../../kit/errors.ts";
import { allowMember, type App, readJson } from "../../kit/http.ts";
import { SECOND } from "../../kit/time.ts";
import { targetGroups } from "./prometheus.ts";
import type { Registry } from "./registry.ts";
import type { Watchers } from "./watchers.ts";

const NAME = /^[A-Za-z][\w.-]{0,63}$/;
const ID = /^[A-Za-z0-9][\w.:@-]{0,127}$/;
const URL_LIMIT = 500;
const OPERATION_LIMIT = 32;

const takesName = "a letter, then up to 63 letters, digits, _ . or -";
const name = v.pipe(v.string(takesName), v.regex(NAME, takesName));

/** The base of an instance's routes; without its slash at the end, so that a path can be put behind it. */
const base = v.pipe(
  v.string("a URL"),
  v.maxLength(URL_LIMIT, `at most ${URL_LIMIT} characters`),
  v.check(isBase, "an http:// or https:// URL without user, password, query and fragment"),
  v.transform((text) => new URL(text).href.replace(/\/+$/, "")),
);

const takesWord = "1 to 128 letters, digits and _ . : + / = -";
const word = v.pipe(v.string(takesWord), v.regex(/^[\w.:+/=-]{1,128}$/, takesWord));

const ANNOUNCEMENT = v.object({
  service: name,
  url: base,
  participates: v.pipe(
    v.optional(v.array(name, "a list of operations"), []),
    v.maxLength(OPERATION_LIMIT, `at most ${OPERATION_LIMIT} operations`),
    v.transform((operations) => [...new Set(operations)]),
  ),
  subgraph: v.optional(v.boolean("true or false"), false),
  schemaHash: v.optional(word),
  version: v.optional(word),
  metrics: v.optional(v.boolean("true or false")),
});

export interface DiscoveryOptions {
  readonly registry: Registry;
  readonly watchers: Watchers;
  readonly secret: string;
  /** Where discovery's own nodes are reached. */
  readonly discoveryUrls: readonly string[];
}

export function addDiscoveryRoutes(app: App, options: DiscoveryOptions): void {
  const { registry, watchers, secret, discoveryUrls } = options;
  app.put("/api/instances/:id", async (c) => {
    allowMember(c, secret);
    const id = idFrom(c.req.param("id"));
    registry.renew(id, await readJson(c, ANNOUNCEMENT));
    return c.json({ ttlSeconds: registry.leaseMs / SECOND });
  });

  app.delete("/api/instances/:id", (c) => {
    allowMember(c, secret);
    registry.remove(idFrom(c.req.param("id")));
    return c.body(null, 204);
  });

  app.get("/api/services", (c) => c.json(registry.view()));

  app.get("/api/services/:name", (c) => {
    const service = c.req.param("name");
    const instances = registry.instances(service);
    if (instances.length === 0) throw new UserError("NOT_FOUND", "no live instance of a service of this name");
    return c.json({ name: service, instances });
  });

  app.get("/api/prometheus", (c) => c.json(targetGroups(registry.all(), discoveryUrls)));

  app.get("/api/watch", (c) => {
    // Hono answers HEAD by the GET route and drops the body: a stream opened for it would never be closed.
    c.header("content-type", "text/event-stream; charset=utf-8");
    c.header("cache-control", "no-store");
    // Hono answers HEAD by the GET route without its body: a stream opened for it would never be closed.
    return c.req.method === "HEAD" ? c.body(null) : c.body(watchers.open(registry.view()));
  });
}

function idFrom(text: string): string {
  if (ID.test(text)) return text;
  throw new UserError("BAD_USER_INPUT", "an id is a letter or digit, then up to 127 letters, digits, _ . : @ or -");
}

function isBase(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" &&
    !/[?#\s\\]/.test(text);
}
