/** Frames as bytes: read back by RFC 6455, and shared where they may be. */

import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { FrameEncoder, frameLength } from "./frames.ts";
import { NextPrefix } from "./messages.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const decoder = new TextDecoder("utf-8", { fatal: true });

function encode(encoder: FrameEncoder, prefixes: (NextPrefix | null)[], payloads: Uint8Array[]): Buffer {
  const bytes = payloads.reduce((sum, payload, index) => sum + frameLength(prefixes[index]!, payload), 0);
  const buffer = encoder.encode(prefixes, payloads, bytes);
  assert.equal(buffer.length, bytes);
  return buffer;
}

/** The text messages that the bytes hold. */
function read(buffer: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < buffer.length;) {
    assert.equal(buffer[at], 0x81);
    const short = buffer[at + 1]!;
    const [header, length] = short < 126
      ? [2, short]
      : short === 126
      ? [4, buffer.readUInt16BE(at + 2)]
      : [10, Number(buffer.readBigUInt64BE(at + 2))];
    texts.push(decoder.decode(buffer.subarray(at + header, at + header + length)));
    at += header + length;
  }
  return texts;
}

Deno.test("frames - of every size of header", () => {
  const prefix = new NextPrefix("🦊");
  const open = decoder.decode(prefix.bytes);
  for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]) {
    for (const around of [0, prefix.bytes.length + 1]) {
      const text = "x".repeat(Math.max(0, size - around));
      const buffer = encode(new FrameEncoder(), [prefix, null, prefix], [bytesOf(text), bytesOf(text), bytesOf("{}")]);
      assert.deepEqual(read(buffer), [`${open}${text}}`, text, `${open}{}}`], `${size}`);
    }
  }
});

Deno.test("frames - the same payloads are shared by the same ids, and copied for others of their length", () => {
  const encoder = new FrameEncoder();
  const payloads = [1, 2, 3].map((n) => bytesOf(`{"data":${n}}`));
  const listen = (...ids: string[]) => ids.map((id) => new NextPrefix(id));
  const first = encode(encoder, listen("a", "a", "b"), [...payloads]);
  assert.equal(encode(encoder, listen("a", "a", "b"), [...payloads]), first);
  const texts = read(first);
  for (
    const ids of [["x", "x", "y"], ["x", "y", "y"], ["long", "x", "y"], ["a", "a", "a"], ["b", "a", "b"], [
      "a",
      "b",
      "a",
    ]]
  ) {
    const other = encode(encoder, listen(...ids), [...payloads]);
    assert.deepEqual(
      read(other).map((text) => JSON.parse(text)),
      ids.map((id, index) => ({ id, type: "next", payload: { data: index + 1 } })),
    );
  }
  // Not of the same payloads, though the first is one that is known.
  assert.deepEqual(read(encode(encoder, listen("a", "a"), [payloads[0]!, payloads[2]!])), [
    texts[0],
    texts[2]!.replace('"b"', '"a"'),
  ]);
  assert.deepEqual(read(first), texts, "what was handed out stays as it was");
  encoder.forget();
  assert.notEqual(encode(encoder, listen("a", "a", "b"), [...payloads]), first);
});

Deno.test("frames - a message of its own is never taken for another of its length", () => {
  const encoder = new FrameEncoder();
  const payload = bytesOf('{"data":1}');
  const prefix = new NextPrefix("1");
  const one = encode(encoder, [prefix, null], [payload, bytesOf("first")]);
  const other = encode(encoder, [prefix, null], [payload, bytesOf("other")]);
  assert.deepEqual([read(one)[1], read(other)[1]], ["first", "other"]);
});
