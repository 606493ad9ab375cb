/**
 * The system as docker-compose.yml describes it does its main job: through the proxy, with its counts, its settings, its secrets and its
 * checks. tests/compose/containers.ts does on this machine what a container engine would.
 */

import assert from "node:assert/strict";
import { buildClient } from "../client/build/build.ts";
import { CHECKOUT, Containers } from "./compose/containers.ts";
import { buildImage } from "./compose/image.ts";
import { Socket, User } from "./helpers/client.ts";
import { EventStream } from "./helpers/event_stream.ts";
import { hasProgram } from "./helpers/programs.ts";
import { rawRequest } from "./helpers/raw_request.ts";
import { metric, until } from "./helpers/system.ts";

const SUBSCRIPTION = "subscription { notificationReceived { id message topic { id } from { id } } }";
const SOCKETS = 20;
/** What a proxy that keeps it back for a while would not keep to, in milliseconds. */
const AT_ONCE_MS = 3_000;

const hasCaddy = hasProgram("caddy", ["version"], "the proxies of docker-compose.yml");
if (Deno.build.os !== "linux") console.log("compose: skipped, since only Linux has all of 127.0.0.0/8");

/** `deno task test:image` has the image built, and its containers confined; else they run from this checkout. */
const isWhole = Deno.env.get("NOTIFYX_TEST_IMAGE") === "whole";

Deno.test({ name: "compose - the whole system", ignore: Deno.build.os !== "linux" }, async (t) => {
  using folder = new TemporaryFolder();
  if (!isWhole) await buildClient(CHECKOUT, () => {});
  const image = isWhole ? await buildImage(folder.path, console.log) : undefined;
  await using containers = await Containers.start(hasCaddy ? [] : ["proxy", "pages"], image);
  const gateways = containers.addresses("gateway").map((address) => `http://${address}:4000`);
  const url = hasCaddy ? `http://${containers.addresses("proxy")[0]}:4000` : gateways[0]!;
  const graphqlUrl = `${url}/graphql`;
  const [ann, bob, eve] = await Promise.all(Array.from({ length: 3 }, () => User.register({ graphqlUrl })));
  const topicId = await ann!.createTopic();
  await Promise.all([bob!.join(topicId), eve!.join(topicId)]);
  const onAll = async (name: string) =>
    (await Promise.all(gateways.map((one) => metric(one, name)))).reduce((sum, value) => sum + value, 0);

  await t.step("as many of each as it says have registered, each with an address that the others reach", async () => {
    const { services } = await (await fetch(`http://${containers.addresses("discovery")[0]}:4100/api/services`)).json();
    const there = Object.fromEntries(
      services.map(({ name, instances }: { name: string; instances: { url: string }[] }) => [
        name,
        instances.map((one) => new URL(one.url).hostname).sort(),
      ]),
    );
    for (const kind of ["gateway", "auth", "notifications", "counter", "mail", "avatar", "client"]) {
      assert.deepEqual(there[kind], containers.addresses(kind).sort(), kind);
    }
  });

  await t.step(
    "what is sent reaches who is subscribed, on a WebSocket and on an event stream, and is counted",
    async () => {
      using socket = await bob!.connect();
      const operation = socket.subscribe(SUBSCRIPTION);
      await using stream = await EventStream.open(graphqlUrl, SUBSCRIPTION, {}, {
        authorization: `Bearer ${eve!.token}`,
      });
      await until("both listen", async () => await onAll("notifyx_delivery_listeners") === 2);
      const { id } = await ann!.send(topicId, "to all");
      const wanted = { id, message: "to all", topic: { id: topicId }, from: { id: ann!.id } };
      assert.deepEqual(await socket.receive(operation, 1, AT_ONCE_MS), [wanted]);
      await until("the event is there", () => stream.events.length > 0, AT_ONCE_MS);
      assert.deepEqual(stream.events[0]!.data.data.notificationReceived, wanted);

      const seen = await bob!.get("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { status } }", {
        ids: [id],
      });
      assert.deepEqual(seen.acknowledgeNotifications, [{ status: "SEEN" }]);
      assert.deepEqual(await Promise.all([bob!.inbox(), eve!.inbox()]), [["to all"], ["to all"]]);
      assert.deepEqual(await ann!.get("{ me { sentCount } }"), { me: { sentCount: 1 } });
    },
  );

  await t.step("pictures come by the same address, and the web client has one of its own", async () => {
    const { avatarUrl } = (await ann!.get("{ me { avatarUrl } }")).me;
    assert.ok(avatarUrl.startsWith(`${containers.addresses("proxy")[0]!}`, "http://".length), avatarUrl);
    const picture = await fetch(`${url}${new URL(avatarUrl).pathname}`);
    assert.equal(picture.headers.get("content-type"), "image/png");
    assert.ok((await picture.bytes()).length > 100);
    const page = await fetch(`http://${containers.addresses("client")[0]}:3333/`, { headers: { accept: "text/html" } });
    assert.equal(page.status, 200);
    await page.body?.cancel();
  });

  const step = hasCaddy ? t.step.bind(t) : () => Promise.resolve(true);
  await step("sockets are divided between the gateways", async () => {
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => Socket.raw(graphqlUrl)));
    try {
      await until("all are there", async () => await onAll("notifyx_delivery_sockets") === SOCKETS);
      const each = await Promise.all(gateways.map((one) => metric(one, "notifyx_delivery_sockets")));
      assert.ok(each.every((count) => count >= SOCKETS / 2 - 2), `${each}`);
    } finally {
      for (const socket of sockets) socket[Symbol.dispose]();
    }
  });

  await step("status pages and the inbox are open to this machine, by its own names, and to no one else", async () => {
    const ask = (port: number, path: string, host = "localhost") =>
      rawRequest(`http://${containers.addresses("pages")[0]}:${port}`, [
        `GET ${path} HTTP/1.1\r\nhost: ${host}:${port}\r\nconnection: close\r\n\r\n`,
      ]);
    // In containers each mail node has it for itself; here they share one port, which another system of this machine may have.
    if (containers.containers("mail").some(({ lines }) => lines.some((line) => line.includes("inbox takes mails")))) {
      await ann!.get(
        'mutation { sendEmail(to: "someone@example.com", subject: "Lunch", message: "Soup is ready.") { id } }',
      );
      await until("the mail is in the inbox", async () => (await ask(4500, "/inbox")).body.includes("Lunch"), 20_000);
    } else console.log("the development inbox: skipped, since another system has its port");
    assert.equal((await ask(4500, "/inbox")).status, 200);
    assert.match((await ask(4500, "/dashboard", "127.0.0.1")).body, /<title>mail – Notifyx/);
    assert.match((await ask(4001, "/dashboard")).body, /<title>gateway – Notifyx/);
    assert.equal((await ask(4500, "/inbox", "evil.example")).status, 421);
    assert.equal((await ask(4001, "/dashboard", "evil.example")).status, 421);
    for (const path of ["/graphql", "/metrics", "/api/emails", "/dashboards"]) {
      assert.equal((await ask(4500, path)).status, 404, path);
      assert.equal((await ask(4001, path)).status, 404, path);
    }
    for (const path of ["/dashboard", "/metrics"]) {
      const answer = await fetch(url + path);
      assert.equal(answer.status, 401, path);
      await answer.body?.cancel();
    }
  });

  await step("while one gateway is away the other answers, and a lost socket finds it", async () => {
    const [first] = containers.containers("gateway");
    first!.child.kill("SIGKILL");
    await first!.status;
    // By GET: Caddy before 2.7, as Debian has it, sends no body to the next when the first took no connection.
    const query = `${graphqlUrl}?${new URLSearchParams({ query: "{ me { id } }" })}`;
    for (let attempt = 0; attempt < 10; attempt++) {
      const answer = await fetch(query, { headers: { authorization: `Bearer ${ann!.token}` } });
      assert.deepEqual(await answer.json(), { data: { me: { id: ann!.id } } });
    }
    using socket = await bob!.connect();
    const operation = socket.subscribe(SUBSCRIPTION);
    await until("it listens", async () => await metric(gateways[1]!, "notifyx_delivery_listeners") === 1);
    const annThere = new User(`${gateways[1]}/graphql`, ann!.id, ann!.email, ann!.token);
    await annThere.send(topicId, "to all again");
    assert.equal((await socket.receive(operation, 1))[0].message, "to all again");
  });

  if (image !== undefined) {
    await t.step("a task runs beside a process: nothing is lost or in doubt", async () => {
      const { code, said } = await containers.execute("gateway", ["docker/task.sh", "audit"]);
      assert.equal(code, 0, said);
    });

    await t.step("a process of the image is nobody who may do anything to it", async () => {
      const writes =
        "id -u; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status; touch /app/x /deno-dir/x /run/secrets/x /tmp/x";
      const { said } = await containers.execute("counter", ["sh", "-c", writes]);
      assert.match(said, /^10001\nCapEff:\t0+\nNoNewPrivs:\t1\n/);
      assert.equal(said.match(/Read-only file system/g)?.length, 4, said);
    });
  }

  await t.step("no container has said a secret", () => {
    const secrets = containers.secrets();
    assert.ok(secrets.length >= 4);
    for (const service of Object.keys(containers.file.services)) {
      for (const { lines } of containers.containers(service)) {
        for (const secret of secrets) assert.ok(!lines.some((line) => line.includes(secret)), service);
      }
    }
  });
});

class TemporaryFolder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "notifyx-image-" });

  constructor() {
    // For users that aren't ours.
    Deno.chmodSync(this.path, 0o711);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
