import assert from "node:assert/strict";
import { NatsMessages } from "./nats_messages.ts";

const STREAM =
  'INFO {"a":1}\r\nPONG\r\nMSG fan 1 5\r\nhello\r\nMSG fan 1 reply 0\r\n\r\nMSG fan 1 14\r\nMSG x 1 2\r\nab\r\r\nPING\r\nMSG fan 1 2\r\nno\r\n';
const MESSAGES = ["hello", "", "MSG x 1 2\r\nab\r", "no"];

Deno.test("nats messages - come whole, whatever the frames hold", () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (let size = 1; size <= bytes.length; size++) {
    const messages: string[] = [];
    const others: string[] = [];
    const reader = new NatsMessages({
      onMessage: (payload) => messages.push(new TextDecoder().decode(payload)),
      onOther: (name) => others.push(name),
    });
    for (let at = 0; at < bytes.length; at += size) reader.take(bytes.slice(at, at + size));
    assert.deepEqual([messages, others], [MESSAGES, ["INFO", "PONG", "PING"]], `${size} bytes a frame`);
  }
});

Deno.test("nats messages - what is wrong is told", () => {
  const reader = new NatsMessages({ onMessage() {}, onOther() {} });
  assert.throws(() => reader.take(new TextEncoder().encode("-ERR 'Unknown Protocol Operation'\r\n")), /Unknown/);
});
