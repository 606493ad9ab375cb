/** A request byte by byte, for what fetch doesn't send: broken heads, bodies that don't come, and what is none at all. */

import { Buffer } from "node:buffer";
import { delay, SECOND, withTimeLimit } from "../../kit/time.ts";

export interface RawAnswer {
  /** 0: there is none. */
  readonly status: number;
  readonly body: string;
}

/** What is written, in its order; a number is a wait in milliseconds, which an answer ends; `cut` closes the connection. */
export type Part = string | Uint8Array | number | { readonly cut: true };

/** The first answer on a connection of its own, once the server has closed it or the answer's `content-length` is there. */
export async function rawRequest(url: string, parts: readonly Part[], limitMs = 20 * SECOND): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const tcp = await Deno.connect({ hostname, port: Number(port) });
  const answered = new AbortController();
  const reading = read(tcp).finally(() => answered.abort());
  try {
    for (const part of parts) {
      if (answered.signal.aborted) break;
      if (typeof part === "number") await delay(part, answered.signal);
      else if (typeof part === "object" && "cut" in part) tcp.close();
      else await writeAll(tcp, typeof part === "string" ? Buffer.from(part) : part);
    }
    return await withTimeLimit("the answer", limitMs, reading);
  } finally {
    try {
      tcp.close();
    } catch {
      // It was cut.
    }
    await reading;
  }
}

async function read(tcp: Deno.TcpConn): Promise<RawAnswer> {
  let text = "";
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(16 * 1024);
  try {
    for (;;) {
      const size = await tcp.read(chunk);
      if (size === null) break;
      text += decoder.decode(chunk.subarray(0, size), { stream: true });
      const [head, body] = text.split("\r\n\r\n", 2);
      const length = /^content-length: (\d+)/im.exec(head!)?.[1];
      if (body !== undefined && length !== undefined && Buffer.byteLength(body) >= Number(length)) break;
    }
  } catch {
    // It was reset, or we closed it: what came before counts.
  }
  const [head = "", body = ""] = text.split("\r\n\r\n", 2);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), body };
}

/** A server that has refused a request doesn't read the rest of it. */
async function writeAll(tcp: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await tcp.write(bytes.subarray(at));
  } catch {
    // Its answer says why.
  }
}
