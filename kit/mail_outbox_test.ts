/** Mails on their way to the mail service, over a real PostgreSQL, to a real HTTP server that is away, slow, wrong or full. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import type { Sql } from "./database.ts";
import { newId } from "./ids.ts";
import { type Mail, MAIL_OUTBOX_MIGRATION, MailOutbox, queueMail } from "./mail_outbox.ts";
import { withDatabase } from "./testing/database.ts";
import { delay, SECOND } from "./time.ts";

const SECRET = "a secret of at least thirty-two characters";

/** The members' route of the mail service, which keeps what it accepts. */
class MailService implements AsyncDisposable {
  /** The ids of each call, in their order. */
  readonly calls: string[][] = [];
  readonly accepted = new Map<string, Mail>();
  /** What it answers instead of accepting; undefined: it accepts. */
  answer: (mails: readonly Mail[]) => Response | Promise<Response> | undefined = () => undefined;
  /** An answer that doesn't come, until the test's end. */
  readonly never: Promise<Response>;
  #end!: () => void;
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    assert.equal(new URL(request.url).pathname, "/api/mails");
    assert.equal(request.headers.get("authorization"), `Bearer ${SECRET}`);
    const { mails } = await request.json() as { mails: Mail[] };
    this.calls.push(mails.map(({ id }) => id));
    const refused = await this.answer(mails);
    if (refused !== undefined) return refused;
    for (const mail of mails) if (!this.accepted.has(mail.id)) this.accepted.set(mail.id, mail);
    return Response.json({});
  });

  constructor() {
    this.never = new Promise((resolve) => this.#end = () => resolve(new Response()));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#server.shutdown();
  }
}

/** Where nobody listens. */
function awayUrl(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `http://127.0.0.1:${listener.addr.port}`;
}

class Node implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly outbox: MailOutbox;
  readonly #started: Promise<void>;

  /** `urls` is read at each look, as the directory is. */
  constructor(sql: Sql, urls: readonly string[]) {
    const directory = {
      instances: (service: string) => service === "mail" ? urls.map((url) => ({ url }) as never) : [],
    };
    this.outbox = new MailOutbox({
      sql,
      directory,
      secret: SECRET,
      log: getLogger("test"),
      stopping: this.#stop.signal,
    });
    this.#started = this.outbox.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started;
    this.#stop.abort();
    await this.outbox.stop();
  }
}

function mail(to = "ann@example.com"): Mail {
  return { id: newId(), to, template: "confirm", data: { url: "https://example.com/x", hours: 24 } };
}

async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10 * SECOND): Promise<void> {
  const giveUpAt = Date.now() + limitMs;
  while (!await holds()) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(10);
  }
}

const left = async (sql: Sql) => (await sql`select count(*) as count from mail_outbox`)[0]!.count as number;

function withOutbox(use: (sql: Sql, service: MailService) => Promise<void>): Promise<void> {
  return withDatabase([MAIL_OUTBOX_MIGRATION], async (sql) => {
    await using service = new MailService();
    await use(sql, service);
  });
}

Deno.test("mail outbox - a mail leaves with the commit of its transaction, at once, and not with a rollback", () =>
  withOutbox(async (sql, service) => {
    await using _node = new Node(sql, [service.url]);
    const [kept, undone] = [mail(), mail()];
    await assert.rejects(sql.begin(async (transaction) => {
      await queueMail(transaction as unknown as Sql, undone);
      throw new Error("undone");
    }));
    const began = performance.now();
    await sql.begin(async (transaction) => {
      await queueMail(transaction as unknown as Sql, kept);
      await delay(50);
      assert.equal(service.calls.length, 0, "not before the commit");
    });
    await until("it is handed over", async () => service.accepted.size === 1 && await left(sql) === 0);
    // Sooner than by the poll, which is at 2.5 s the soonest: by the commit itself.
    assert.ok(performance.now() - began < 2_000);
    assert.deepEqual(service.accepted.get(kept.id), kept);
  }));

Deno.test("mail outbox - 250 mails go in batches of 100, oldest first, and none twice though two nodes hand over", () =>
  withOutbox(async (sql, service) => {
    // Five transactions; within one, by their ids.
    const all = Array.from({ length: 5 }, () => Array.from({ length: 50 }, () => mail()));
    for (const mails of all) await queueMail(sql, ...mails);
    {
      await using _nodes = new Node(sql, [service.url]);
      await until("all are handed over", async () => await left(sql) === 0);
    }
    assert.deepEqual(service.calls.map((ids) => ids.length), [100, 100, 50]);
    assert.deepEqual(service.calls.flat(), all.flatMap((mails) => mails.map(({ id }) => id).sort()));

    await queueMail(sql, ...Array.from({ length: 250 }, () => mail()));
    await using _one = new Node(sql, [service.url]);
    await using _other = new Node(sql, [service.url]);
    await until("these too", async () => await left(sql) === 0);
    assert.equal(new Set(service.calls.flat()).size, service.calls.flat().length);
    assert.equal(service.accepted.size, 500);
  }));

Deno.test("mail outbox - while the mail service is away mails wait, and one instance that lives is enough", () =>
  withOutbox(async (sql, service) => {
    const urls: string[] = [];
    await using node = new Node(sql, urls);
    await queueMail(sql, mail());
    urls.push(awayUrl());
    await queueMail(sql, mail());
    await delay(300);
    assert.equal(await left(sql), 2);
    const { waiting, oldestSeconds, rejected } = await node.outbox.figures();
    assert.deepEqual([waiting, rejected, oldestSeconds > 0.2], [2, 0, true]);
    urls.push(service.url);
    await until("they are handed over", async () => await left(sql) === 0);
    assert.equal(service.accepted.size, 2);
    assert.deepEqual((await node.outbox.section()).rows, [[0, 0, 0]]);
  }));

Deno.test("mail outbox - a slow instance, and one that is full, lose nothing; the next one is asked", () =>
  withOutbox(async (sql, service) => {
    await using slow = new MailService();
    slow.answer = () => slow.never;
    await using full = new MailService();
    full.answer = () => Response.json({ error: "full", code: "TOO_MANY_REQUESTS" }, { status: 429 });
    await using _node = new Node(sql, [slow.url, full.url]);
    const id = mail().id;
    await queueMail(sql, { ...mail(), id });
    await until("the slow one is given up", () => slow.calls.length > 1 || full.calls.length > 1);
    assert.equal(await left(sql), 1);
    slow.answer = () => undefined;
    await until("it is handed over", async () => await left(sql) === 0);
    assert.ok(slow.accepted.has(id));
    assert.equal(service.calls.length, 0);
  }));

Deno.test("mail outbox - a mail that is refused keeps back none of the others, and stays with the reason", () =>
  withOutbox(async (sql, service) => {
    const wrong = new Set(["no address", "nor this"]);
    service.answer = (mails) => {
      const bad = mails.find(({ to }) => wrong.has(to));
      return bad && Response.json({ error: `${bad.id}: ${bad.to}`, code: "BAD_USER_INPUT" }, { status: 400 });
    };
    const mails = Array.from(
      { length: 120 },
      (_, at) => mail(at === 17 ? "no address" : at === 80 ? "nor this" : "a@b.c"),
    );
    await queueMail(sql, ...mails);
    await using node = new Node(sql, [service.url]);
    await until("the others are handed over", async () => await left(sql) === 2);
    assert.equal(service.accepted.size, 118);
    // By halves: not one by one.
    assert.ok(service.calls.length < 50, `${service.calls.length} calls`);
    await until("both are rejected", async () => (await node.outbox.figures()).rejected === 2);
    const reasons = await sql`select rejected_because as because from mail_outbox order by mail ->> 'to'`;
    assert.deepEqual(reasons.map(({ because }) => because), [
      `${mails[17]!.id}: no address`,
      `${mails[80]!.id}: nor this`,
    ]);
    const calls = service.calls.length;
    await queueMail(sql, mail());
    await until("a further one is handed over", () => service.accepted.size === 119);
    assert.equal(service.calls.length, calls + 1, "without those that were rejected");
  }));

Deno.test("mail outbox - a mail on which the mail service fails waits aside, and goes when it fails no more", () =>
  withOutbox(async (sql, service) => {
    const poison = mail("poison@example.com");
    service.answer = (mails) =>
      mails.some(({ id }) => id === poison.id) ? Response.json({ code: "INTERNAL" }, { status: 500 }) : undefined;
    await queueMail(sql, poison, mail(), mail(), mail());
    await using _node = new Node(sql, [service.url]);
    await until("the others are handed over", async () => await left(sql) === 1);
    assert.equal(service.accepted.size, 3);
    service.answer = () => undefined;
    await sql`update mail_outbox set due_at = now()`;
    await queueMail(sql, mail());
    await until("it goes as well", async () => await left(sql) === 0);
    assert.ok(service.accepted.has(poison.id));
  }));

Deno.test("mail outbox - killed between acceptance and deletion, the same goes again, and another node goes on", () =>
  withDatabase([MAIL_OUTBOX_MIGRATION], async (sql, url) => {
    await using service = new MailService();
    const mails = Array.from({ length: 30 }, () => mail());
    await queueMail(sql, ...mails);
    // A process of its own, since a process is what is killed: the service has accepted, and its answer doesn't come.
    const accepted = Promise.withResolvers<void>();
    service.answer = (batch) => {
      for (const one of batch) service.accepted.set(one.id, one);
      accepted.resolve();
      return service.never;
    };
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--no-prompt",
        "--allow-net",
        "--allow-env",
        new URL("testing/hand_over.ts", import.meta.url).pathname,
      ],
      env: { TEST_DATABASE: url, TEST_MAIL: service.url, TEST_SECRET: SECRET },
      stdin: "null",
    }).spawn();
    await accepted.promise;
    child.kill("SIGKILL");
    await child.status;
    assert.equal(await left(sql), 30);
    service.answer = () => undefined;
    await using _node = new Node(sql, [service.url]);
    await until("they are handed over again", async () => await left(sql) === 0);
    assert.deepEqual([...service.accepted.keys()].sort(), mails.map(({ id }) => id).sort());
    assert.deepEqual(service.calls.map((ids) => ids.length), [30, 30]);
  }));

Deno.test("mail outbox - the same id again counts once, and a stop doesn't wait for a slow answer", () =>
  withOutbox(async (sql, service) => {
    const first = mail("ann@example.com");
    await queueMail(sql, first);
    await queueMail(sql, { ...first, to: "bob@example.com" });
    assert.deepEqual((await sql`select mail ->> 'to' as to from mail_outbox`).map(({ to }) => to), ["ann@example.com"]);
    service.answer = () => service.never;
    const node = new Node(sql, [service.url]);
    await until("it is asked", () => service.calls.length === 1);
    const began = performance.now();
    await node[Symbol.asyncDispose]();
    assert.ok(performance.now() - began < SECOND);
    assert.equal(await left(sql), 1, "it waits for the next start");
  }));
