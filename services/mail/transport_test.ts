import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { SECOND } from "../../kit/time.ts";
import { requiresTls, type SendingError, Transport } from "./transport.ts";

Deno.test("transport - who signs in does so over TLS, but on this machine or where the URL says otherwise", () => {
  for (
    const [url, signsIn, requires] of [
      ["smtp://smtp.example:587", true, true],
      ["smtp://smtp.example:587", false, false],
      ["smtp://smtp.example:587?starttls=required", false, true],
      ["smtp://smtp.example:587?starttls=optional", true, false],
      ["smtp://localhost:587", true, false],
      ["smtp://[::1]:587", true, false],
      ["smtp://127.0.0.1:587?starttls=required", true, true],
      ["smtp://127.0.0.1.example:587", true, true],
    ] as const
  ) assert.equal(requiresTls(new URL(url), signsIn), requires, url);
});

const MAIL = {
  from: "a@example.org",
  to: { name: "", address: "b@example.org" },
  subject: "Soup",
  text: "x",
  html: "x",
  messageId: "<1@localhost>",
};

/** What comes of a mail by such a server. */
async function outcome(serve: (socket: Socket) => void, isThere = true): Promise<[string, boolean, string?]> {
  const server = createServer((socket) => serve(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const transport = new Transport({ url, name: "localhost" });
  const stop = () => new Promise((resolve) => server.close(resolve));
  if (!isThere) await stop();
  try {
    await transport.send(MAIL, AbortSignal.timeout(30 * SECOND));
  } catch (error) {
    const { message, isPermanent, trouble } = error as SendingError;
    return trouble === undefined ? [message, isPermanent] : [message, isPermanent, trouble];
  } finally {
    await transport.close();
    if (isThere) await stop();
  }
  throw new Error("it was taken");
}

/** Says `answer` of each recipient, and is fine with all else. */
function answering(answer: string): (socket: Socket) => void {
  return (socket) => {
    socket.write("220 hello\r\n");
    createInterface(socket).on(
      "line",
      (line) => socket.write(line.startsWith("RCPT") ? `${answer}\r\n` : "250 fine\r\n"),
    );
  };
}

Deno.test("transport - only a 5yz is for good; what is no reply of SMTP is not", async () => {
  const cases = [["550 5.1.1 nobody", true], ["451 later", false], ["<html>", false], ["5", false], [
    "600 what",
    false,
  ]];
  for (const [answer, isForGood] of cases as [string, boolean][]) {
    assert.deepEqual(await outcome(answering(answer)), [answer, isForGood]);
  }
});

Deno.test("transport - a server that is away is told of without a word of where it is, but to the log", async () => {
  const [message, isPermanent, trouble] = await outcome(() => {}, false);
  assert.deepEqual([message, isPermanent], ["the SMTP server could not be reached", false]);
  assert.match(trouble!, /^connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
  const cut = (socket: Socket) => void socket.write("220 hello\r\n", () => socket.destroy());
  assert.deepEqual(await outcome(cut), ["the connection to the SMTP server broke off", false]);
});

Deno.test("transport - a connection that nobody waits for any more is given up at once; after the end none is opened", async () => {
  // Takes two connections, and leaves others waiting until those are accepted.
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  using _one = await connect();
  using _two = await connect();
  const url = new URL(`smtp://127.0.0.1:${server.addr.port}`);
  const began = performance.now();
  // Its end comes at each of the steps in which a second mail waits for the first one's connection to be closed, which is not even made.
  await Promise.all(Array.from({ length: 20 }, async (_, steps) => {
    const transport = new Transport({ url, name: "localhost" });
    await assert.rejects(transport.send(MAIL, AbortSignal.timeout(100)));
    const second = assert.rejects(transport.send(MAIL, AbortSignal.timeout(2 * SECOND)));
    for (let step = 0; step < steps; step++) await new Promise((resolve) => setImmediate(resolve));
    await transport.close();
    await second;
  }));
  const ms = performance.now() - began;
  assert(ms < 8 * SECOND, `${ms} ms`);

  const marker = connect();
  const accepted = new Set<number>();
  for (let nth = 0; nth < 3; nth++) {
    using connection = await server.accept();
    accepted.add(connection.remoteAddr.port);
  }
  using third = await marker;
  assert(accepted.has((third.localAddr as Deno.NetAddr).port), "none but the three of this test");
});
