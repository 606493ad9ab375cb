/** What a browser is told with each page. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { serveGraphiQL } from "./graphiql.ts";
import { createApp } from "./http.ts";

const LOCAL = { remoteAddr: { hostname: "127.0.0.1" } };

Deno.test("pages - each forbids what it doesn't need: frames, foreign sources, guessed types, the address in links", async () => {
  const app = createApp({
    service: "test",
    secret: "x".repeat(32),
    log: getLogger("test"),
    readyChecks: new Map(),
    statusPage: [() => ({ title: "<script>", columns: ["<b>"], rows: [['"><img src=x>']] })],
  });
  serveGraphiQL(app, { title: "<test>", signIn: true });
  const pages = [
    await app.request("/dashboard", {}, LOCAL),
    await app.request("/graphql", { headers: { accept: "text/html" } }, LOCAL),
  ];
  for (const { status, headers } of pages) {
    assert.equal(status, 200);
    const policy = headers.get("content-security-policy")!;
    for (const directive of ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) {
      assert(policy.split("; ").includes(directive), `${directive} in ${policy}`);
    }
    assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*unsafe-inline|https?:|\*/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("x-frame-options"), "DENY");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
    assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
  }
  assert.equal(pages[0]!.headers.get("cache-control"), "no-store");
  const text = await pages[0]!.text();
  assert.doesNotMatch(text, /<script>|<img|<b>/);
});
