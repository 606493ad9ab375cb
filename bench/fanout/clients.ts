/**
 * The subscribers, in a process of their own. The first line of standard input is {@link ClientsOptions} as JSON. Prints `ready` once all are subscribed, then
 * one line of JSON ({@link ClientsReport}) for each line `report N` there, when each socket has N messages or 60 s after.
 */

import { Lines } from "../lib/lines.ts";
import { BenchSocket, MessageNumbers } from "../lib/sockets.ts";
import { NatsMessages } from "./nats_messages.ts";

export interface ClientsOptions {
  readonly url: string;
  readonly protocol: string;
  readonly sockets: number;
  /** What its frames hold: a message each, or a part of nats-server's stream, of which pings are answered. */
  readonly frames: "messages" | "nats";
  /** What each says, in turn; a `null` waits for the server's next frame (nats: PONG). Sockets take these lists in turn. */
  readonly says: readonly (readonly (string | null)[])[];
  /** Whether the operation ids of the sockets differ, as graphql-ws's do: `$ID` in what they say is replaced. */
  readonly ids: "own" | "same";
}

export interface ClientsReport {
  /** In milliseconds since 1970, with fractions. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly frames: number;
  /** Sockets that did not get each message exactly once, or in another order than the first socket. */
  readonly wrong: number;
  /** For each message, by its number, when each socket got it. */
  readonly times: Record<number, number[]>;
}

const lines = new Lines(Deno.stdin.readable);
const options: ClientsOptions = JSON.parse(await lines.next());
const now = () => performance.timeOrigin + performance.now();
const numbers = new MessageNumbers();
let frames = 0;
let firstAt = 0;
let lastAt = 0;
let times: Record<number, number[]> = {};
interface State {
  seen: Uint8Array;
  order: number;
  wrong: boolean;
}
const fresh = (): State => ({ seen: new Uint8Array(1_000), order: 0, wrong: false });
const states = new Map<BenchSocket, State>();
const waiting = new Map<BenchSocket, () => void>();

const onMessage = (payload: Uint8Array, socket: BenchSocket) => {
  const state = states.get(socket);
  if (state === undefined) {
    waiting.get(socket)?.();
    return;
  }
  const number = numbers.of(payload);
  if (number < 0) return;
  frames++;
  lastAt = now();
  if (firstAt === 0) firstAt = lastAt;
  (times[number] ??= []).push(lastAt);
  if (state.seen[number]!++ !== 0) state.wrong = true;
  state.order = (state.order * 31 + number + 1) | 0;
};

const streams = new Map<BenchSocket, NatsMessages>();
const streamOf = (socket: BenchSocket) =>
  new NatsMessages({
    onMessage: (payload) => onMessage(payload, socket),
    onOther(name) {
      if (name === "PING") socket.send("PONG\r\n").catch(() => {});
      else if (name === "PONG") waiting.get(socket)?.();
    },
  });
const onNatsFrame = (payload: Uint8Array, socket: BenchSocket) => {
  let stream = streams.get(socket);
  if (stream === undefined) streams.set(socket, stream = streamOf(socket));
  stream.take(payload);
};
const onFrame = options.frames === "nats" ? onNatsFrame : onMessage;

const sockets: BenchSocket[] = [];
const open = async (nth: number) => {
  const socket = await BenchSocket.open(options.url, options.protocol, onFrame);
  sockets.push(socket);
  let heard = Promise.withResolvers<void>();
  waiting.set(socket, () => heard.resolve());
  void socket.read(new Uint8Array(options.sockets > 2_000 ? 4 * 1024 : 64 * 1024));
  for (const message of options.says[nth % options.says.length]!) {
    if (message === null) {
      await heard.promise;
      heard = Promise.withResolvers();
    } else {
      const id = options.ids === "own" ? crypto.randomUUID() : "00000000-0000-4000-8000-000000000000";
      await socket.send(message.replaceAll("$ID", id));
    }
  }
  waiting.delete(socket);
  states.set(socket, fresh());
};
let opened = 0;
await Promise.all(Array.from({ length: 50 }, async () => {
  while (opened < options.sockets) await open(opened++);
}));
console.log("ready");

for (;;) {
  const line = await lines.next().catch(() => undefined);
  if (line === undefined) break;
  const wanted = Number(/report (\d+)/.exec(line)?.[1]);
  const giveUpAt = Date.now() + 60_000;
  while (frames < wanted * options.sockets && Date.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const [one] = states.values();
  const wrong = [...states.values()].filter(({ seen, order, wrong }) =>
    wrong || order !== one!.order || seen.reduce((sum, count) =>
        sum + count, 0) !== wanted
  ).length;
  const report: ClientsReport = { firstAt, lastAt, frames, wrong, times };
  console.log(JSON.stringify(report));
  frames = firstAt = lastAt = 0;
  times = {};
  for (const state of states.values()) Object.assign(state, fresh());
}
for (const socket of sockets) socket.close();
Deno.exit(0);
