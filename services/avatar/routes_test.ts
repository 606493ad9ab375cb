/** The route over HTTP: headers, conditions, errors; drawn once, kept within bounds; and the short way, which means the same. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { UserError } from "../../kit/errors.ts";
import { type App, createApp } from "../../kit/http.ts";
import type { Listener } from "../../kit/service.ts";
import { Gallery } from "./gallery.ts";
import type { Job } from "./job.ts";
import type { Pool } from "./pool.ts";
import { addAvatarRoutes } from "./routes.ts";
import { listenShort } from "./serve.ts";
import type { Sitters } from "./sitters.ts";

const ID = "01a20f1e-2169-70dd-b9d1-d6cb2aa302cd";
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3);

/** The service but for its threads and for auth. */
class Avatars implements AsyncDisposable {
  readonly drawn: Job[] = [];
  /** Rejects what is drawn from now on. */
  full = false;
  /** Whose letters are asked for. */
  readonly asked: string[] = [];
  authIsAway = false;
  readonly app: App;
  readonly gallery: Gallery;
  url = "";
  #listener!: Listener;

  private constructor(cacheBytes: number) {
    const pool = { draw: (job: Job) => this.#draw(job) } as unknown as Pool;
    const sitters = { letters: (id: string) => this.#letters(id) } as unknown as Sitters;
    this.gallery = new Gallery(pool, sitters, cacheBytes);
    const log = getLogger("test");
    this.app = createApp({ service: "avatar", secret: "x".repeat(32), log, readyChecks: new Map(), statusPage: [] });
    addAvatarRoutes(this.app, this.gallery);
  }

  static async start(cacheBytes = 1024 ** 2): Promise<Avatars> {
    const avatars = new Avatars(cacheBytes);
    avatars.#listener = await listenShort(avatars.gallery)(avatars.app, "127.0.0.1", 0);
    avatars.url = `http://127.0.0.1:${avatars.#listener.port}`;
    return avatars;
  }

  async #draw(job: Job): Promise<Uint8Array<ArrayBuffer>> {
    this.drawn.push(job);
    await Promise.resolve();
    if (this.full) throw new UserError("SERVICE_UNAVAILABLE", "full", { retryAfterSeconds: 1 });
    return PNG;
  }

  #letters(id: string): Promise<string> {
    this.asked.push(id);
    if (this.authIsAway) throw new UserError("SERVICE_UNAVAILABLE", "away", { retryAfterSeconds: 2 });
    return Promise.resolve("AB");
  }

  get(query = "", init: RequestInit = {}, id = ID): Promise<Response> {
    return fetch(`${this.url}/avatars/${id}.png${query}`, init);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.drain();
  }
}

async function faultOf(response: Response) {
  const { code } = await response.json();
  return [response.status, code, response.headers.get("cache-control"), response.headers.get("retry-after")];
}

Deno.test("avatars - a picture is told to be kept for ever, and named; drawn once, sent again", async () => {
  await using avatars = await Avatars.start();
  for (let times = 0; times < 3; times++) {
    const response = await avatars.get(times === 2 ? "?style=GITHUB&size=0128" : "");
    assert.equal(response.status, 200);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), PNG);
    const { date: _, vary: _vary, ...headers } = Object.fromEntries(response.headers);
    assert.deepEqual(headers, {
      "cache-control": "public, max-age=31536000, immutable",
      "content-length": "7",
      "content-type": "image/png",
      "cross-origin-resource-policy": "cross-origin",
      etag: `"1-${ID}-GITHUB-128-png"`,
      "x-content-type-options": "nosniff",
    });
  }
  assert.deepEqual(avatars.drawn, [{ id: ID, letters: "", style: "GITHUB", size: 128 }]);
});

Deno.test("avatars - those who ask for the same at once wait for one drawing", async () => {
  await using avatars = await Avatars.start();
  const all = await Promise.all(Array.from({ length: 20 }, (_, nth) => avatars.get(`?size=${64 + nth % 2}`)));
  for (const response of all) assert.deepEqual(new Uint8Array(await response.arrayBuffer()), PNG);
  assert.equal(avatars.drawn.length, 2);
});

Deno.test("avatars - HEAD has the headers of GET and no body, drawn or kept", async () => {
  await using avatars = await Avatars.start();
  for (let times = 0; times < 2; times++) {
    const head = await avatars.get("", { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "7", ""]);
    assert.equal(head.headers.get("etag"), `"1-${ID}-GITHUB-128-png"`);
  }
  assert.equal(avatars.drawn.length, 1);
});

Deno.test("avatars - 304 for who has it, though it was never drawn here", async () => {
  await using avatars = await Avatars.start();
  const etag = `"1-${ID}-GITHUB-128-png"`;
  for (const list of [etag, `W/${etag}`, `"a", ${etag}`, "*"]) {
    const response = await avatars.get("", { headers: { "if-none-match": list } });
    assert.deepEqual([response.status, response.headers.get("etag"), await response.text()], [304, etag, ""], list);
    assert.match(response.headers.get("cache-control")!, /immutable/);
  }
  assert.equal(avatars.drawn.length, 0);
  for (const list of [`"1-${ID}-GITHUB-64-png"`, "a", `"0-${ID}-GITHUB-128-png"`]) {
    const response = await avatars.get("", { headers: { "if-none-match": list } });
    assert.deepEqual([response.status, (await response.bytes()).length], [200, 7], list);
  }
});

Deno.test("avatars - SVG may neither load nor run anything", async () => {
  await using avatars = await Avatars.start();
  const response = await avatars.get("?format=svg&style=INITIALS");
  assert.deepEqual([response.status, response.headers.get("content-type")], [200, "image/svg+xml"]);
  const policy = response.headers.get("content-security-policy")!;
  assert.deepEqual(policy.split("; "), [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "sandbox",
  ]);
  const text = await response.text();
  assert.match(text, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="128"/);
  assert.doesNotMatch(text, /<script|<style|href|on\w+=|url\(/);
  assert.equal(avatars.drawn.length, 0);
});

Deno.test("avatars - 404 for what is no id, 400 for a wrong parameter, 405 for another method", async () => {
  await using avatars = await Avatars.start();
  assert.deepEqual(await faultOf(await avatars.get("", {}, "me")), [404, "NOT_FOUND", "no-store", null]);
  for (const query of ["?size=8", "?style=x", "?format=gif", "?cache=1"]) {
    assert.deepEqual(await faultOf(await avatars.get(query)), [400, "BAD_USER_INPUT", "no-store", null], query);
  }
  const posted = await avatars.get("", { method: "POST" });
  assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET"]);
  await posted.body?.cancel();
  assert.equal(avatars.drawn.length, 0);
});

Deno.test("avatars - where auth is away, initials that nobody asked for before are 503, and all else is there", async () => {
  await using avatars = await Avatars.start();
  await (await avatars.get("?style=INITIALS&size=64")).body?.cancel();
  avatars.authIsAway = true;
  assert.deepEqual(await faultOf(await avatars.get("?style=INITIALS")), [503, "SERVICE_UNAVAILABLE", "no-store", "2"]);
  for (const query of ["?style=INITIALS&size=64", "", "?style=IDENTICON"]) {
    const response = await avatars.get(query);
    await response.body?.cancel();
    assert.equal(response.status, 200, query);
  }
  assert.equal(avatars.asked.length, 2);
});

Deno.test("avatars - what failed is not kept", async () => {
  await using avatars = await Avatars.start();
  avatars.full = true;
  assert.deepEqual(await faultOf(await avatars.get()), [503, "SERVICE_UNAVAILABLE", "no-store", "1"]);
  avatars.full = false;
  const response = await avatars.get();
  assert.deepEqual([response.status, (await response.bytes()).length, avatars.drawn.length], [200, 7, 2]);
});

Deno.test("avatars - the cache keeps within its bytes, and one of none keeps nothing", async () => {
  await using avatars = await Avatars.start(5_000);
  for (let size = 16; size < 40; size++) await (await avatars.get(`?size=${size}`)).body?.cancel();
  for (let size = 36; size < 40; size++) await (await avatars.get(`?size=${size}`)).body?.cancel();
  const { bytes, count, answers } = avatars.gallery;
  assert.ok(bytes <= 5_000 && count === 4 && answers.size === 4, `${bytes} bytes, ${count}, ${answers.size} answers`);
  // With a picture its answer goes as well.
  await (await avatars.get("?size=16")).body?.cancel();
  assert.deepEqual([count, answers.size], [4, 3]);
  await using none = await Avatars.start(0);
  for (let times = 0; times < 2; times++) await (await none.get()).body?.cancel();
  assert.deepEqual([none.drawn.length, none.gallery.bytes], [2, 0]);
});

Deno.test("avatars - the short way and the app give the same answers", async () => {
  await using avatars = await Avatars.start();
  await (await avatars.get()).body?.cancel();
  const etag = `"1-${ID}-GITHUB-128-png"`;
  for (const method of ["GET", "HEAD"]) {
    for (const headers of [{}, { "if-none-match": etag }] as Record<string, string>[]) {
      for (const path of [`/avatars/${ID}.png?`, `/avatars/${ID.toUpperCase()}.png?size=128&style=GITHUB`]) {
        const short = await fetch(avatars.url + path, { method, headers });
        const long = await avatars.app.request(path, { method, headers });
        assert.equal(short.status, long.status);
        assert.deepEqual(await short.bytes(), await long.bytes());
        for (const [name, value] of long.headers) assert.equal(short.headers.get(name), value, `${method} ${name}`);
      }
    }
  }
  assert.equal(avatars.drawn.length, 1);
});
