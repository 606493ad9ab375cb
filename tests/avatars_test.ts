/** A user's picture through the whole system: from `avatarUrl` to the bytes, and what is left of it where the service or auth is away. */

import { decode } from "imagescript/png/src/png.mjs";
import assert from "node:assert/strict";
import { createNotifyx } from "../client/lib/mod.ts";
import { User } from "./helpers/client.ts";
import { listening, metric, startSystem, until } from "./helpers/system.ts";

const AWAY = { code: "SERVICE_UNAVAILABLE" };

Deno.test("avatars - through the gateway", async (t) => {
  await using system = await startSystem({ counts: { avatar: 1 } });
  const ann = await User.register(system);
  const url = (await ann.get("{ me { avatarUrl } }")).me.avatarUrl as string;
  const path = `/avatars/${ann.id}.png?size=128&style=GITHUB`;

  await t.step("avatarUrl is absolute, for every size and style the same for ever", async () => {
    assert.equal(url, system.url() + path);
    assert.equal(createNotifyx({ url: system.graphqlUrl }).picture(ann.id), url);
    const { me } = await ann.get(
      "query ($size: Int) { me { a: avatarUrl(size: 16, style: INITIALS) b: avatarUrl(size: $size) c: avatarUrl(style: null) } }",
      { size: 512 },
    );
    const base = `${system.url()}/avatars/${ann.id}.png`;
    assert.deepEqual(me, {
      a: `${base}?size=16&style=INITIALS`,
      b: `${base}?size=512&style=GITHUB`,
      c: `${base}?size=128&style=GITHUB`,
    });
  });

  await t.step("a wrong size is BAD_USER_INPUT on that field alone", async () => {
    const { data, errors } = await ann.ask("{ me { email small: avatarUrl(size: 15) avatarUrl } }");
    assert.deepEqual(data.me, { email: ann.email, small: null, avatarUrl: url });
    assert.deepEqual(errors?.map((error) => [error.path, error.extensions.code]), [[
      ["me", "small"],
      "BAD_USER_INPUT",
    ]]);
    const { errors: unknown } = await ann.ask("{ me { avatarUrl(style: SQUARE) } }");
    assert.equal(unknown?.[0]?.extensions.code, "BAD_USER_INPUT");
  });

  await t.step("each URL is a picture, which is the same at the service itself", async () => {
    for (const style of ["GITHUB", "IDENTICON", "INITIALS"]) {
      const query = `/avatars/${ann.id}.png?size=64&style=${style}`;
      const [through, itself] = await Promise.all(
        [system.url(), system.url("avatar")].map((base) => fetch(base + query)),
      );
      const [bytes, other] = await Promise.all([through!.bytes(), itself!.bytes()]);
      assert.deepEqual([through!.status, through!.headers.get("content-type")], [200, "image/png"]);
      const { width, height } = decode(bytes);
      assert.deepEqual([width, height], [64, 64]);
      assert.deepEqual(bytes, other);
      for (const [name, value] of itself!.headers) {
        if (name !== "date" && name !== "vary") assert.equal(through!.headers.get(name), value, name);
      }
    }
  });

  await t.step("HEAD, 304, 400, 404 and 405 come through", async () => {
    const head = await fetch(url, { method: "HEAD" });
    const picture = await fetch(url);
    const { length } = await picture.bytes();
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, `${length}`, ""]);
    assert.equal(picture.headers.get("cache-control"), "public, max-age=31536000, immutable");
    const etag = picture.headers.get("etag")!;
    const known = await fetch(url, { headers: { "if-none-match": etag } });
    assert.deepEqual([known.status, known.headers.get("etag"), await known.text()], [304, etag, ""]);
    for (
      const [wrong, method, status, code] of [
        [`${url}&x=1`, "GET", 400, "BAD_USER_INPUT"],
        [url.replace("128", "8"), "GET", 400, "BAD_USER_INPUT"],
        [url.replace(ann.id, "me"), "GET", 404, "NOT_FOUND"],
        [url.replace(ann.id, crypto.randomUUID()).replace("GITHUB", "INITIALS"), "GET", 404, "NOT_FOUND"],
        [url, "POST", 405, "BAD_USER_INPUT"],
      ] as const
    ) {
      const response = await fetch(wrong, { method });
      assert.deepEqual([response.status, (await response.json()).code], [status, code], wrong);
    }
  });

  await t.step("svg comes with its policy", async () => {
    const response = await fetch(`${url}&format=svg`);
    assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'; .*sandbox$/);
    assert.match(await response.text(), /^<svg /);
  });

  await t.step("subscribers are told it at once for all, and rows with it are kept", async () => {
    const topicId = await ann.createTopic();
    await ann.join(topicId);
    using socket = await ann.connect();
    const id = socket.subscribe("subscription { notificationReceived { from { avatarUrl(size: 32) } } }");
    await listening(system, 1);
    await ann.send(topicId, "look");
    assert.deepEqual(await socket.receive(id, 1), [{ from: { avatarUrl: url.replace("128", "32") } }]);
    const kept = async () => await metric(system.url(), 'notifyx_graph_rows_total{found="yes"}') || 0;
    const before = await kept();
    const topics = "{ topics(first: 1) { edges { node { createdBy { avatarUrl(size: 99) } } } } }";
    for (let times = 0; times < 2; times++) await ann.get(topics);
    assert.equal(await kept() - before, 1);
  });

  await t.step("auth away: initials that nobody has drawn yet are 503, all else is there", async () => {
    const bob = await User.register(system);
    await system.node("auth").process.stop(5_000);
    const initials = await fetch(url.replace("GITHUB", "INITIALS").replace(ann.id, bob.id));
    assert.deepEqual([initials.status, initials.headers.get("retry-after"), (await initials.json()).code], [
      503,
      "2",
      "SERVICE_UNAVAILABLE",
    ]);
    for (const query of ["size=64&style=INITIALS", "size=65&style=GITHUB"]) {
      const response = await fetch(`${system.url()}/avatars/${ann.id}.png?${query}`);
      await response.body?.cancel();
      assert.equal(response.status, 200, query);
    }
  });

  await t.step("avatar away: avatarUrl is null with an error of its own, the picture 503", async () => {
    const { process } = system.node("avatar");
    process.kill();
    await until("it is gone", () => process.pid === undefined);
    const { data, errors } = await ann.ask(
      "{ unseenCount topics(first: 1) { edges { node { createdBy { id avatarUrl(size: 98) } } } } }",
    );
    assert.deepEqual(data.topics.edges[0].node.createdBy, { id: ann.id, avatarUrl: null });
    assert.deepEqual(errors?.map(({ extensions }) => extensions), [AWAY]);
    const response = await fetch(url);
    assert.deepEqual([response.status, response.headers.get("retry-after"), (await response.json()).code], [
      503,
      "2",
      "SERVICE_UNAVAILABLE",
    ]);
  });
});

Deno.test("avatars - more than can be drawn: 503 with a time to come back, and then all of them", async () => {
  const env = { NOTIFYX_AVATAR_WORKERS: "1", NOTIFYX_AVATAR_QUEUE: "2", NOTIFYX_AVATAR_CACHE_BYTES: "200000" };
  await using system = await startSystem({ counts: { avatar: 1 }, env });
  const ids = Array.from({ length: 50 }, () => crypto.randomUUID());
  const ask = async (id: string) => {
    const response = await fetch(`${system.url()}/avatars/${id}.png?size=512&style=IDENTICON`);
    return { id, status: response.status, after: response.headers.get("retry-after"), bytes: await response.bytes() };
  };

  const first = await Promise.all(ids.map(ask));
  const refused = first.filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0 && refused.length < ids.length, `${refused.length} of ${ids.length} refused`);
  for (const { status, after, bytes } of refused) {
    assert.deepEqual([status, after, JSON.parse(new TextDecoder().decode(bytes)).code], [
      503,
      "1",
      "SERVICE_UNAVAILABLE",
    ]);
  }
  const count = await metric(system.url("avatar"), "notifyx_avatars_refused_total");
  assert.equal(count, refused.length);
  // That it was full is no sickness: no breaker has opened, and who comes back gets it.
  for (const id of ids) assert.equal((await ask(id)).status, 200);
  const kept = await metric(system.url("avatar"), "notifyx_avatar_cache_bytes");
  assert.ok(kept > 0 && kept <= 200_000, `${kept}`);
});
