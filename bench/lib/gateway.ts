/** What a benchmark asks of a running gateway, from outside. */

import { delay, MINUTE } from "../../kit/time.ts";

/** In milliseconds since 1970, with fractions. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Its resident memory, in bytes. */
export async function gatewayMemory(url: string): Promise<number> {
  return await metric(url, "notifyx_process_resident_memory_bytes");
}

/** When events arrive at whoever follows the feed as the gateway does, by their message. */
export async function followFeed(url: string, secret: string): Promise<Map<string, number>> {
  const arrivals = new Map<string, number>();
  const response = await fetch(`${url}/api/feed`, { headers: { authorization: `Bearer ${secret}` } });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  await reader.read();
  void (async () => {
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
      if (done || value === undefined) return;
      const at = now();
      for (const [, message] of value.matchAll(/"message":"(\d+)"/g)) arrivals.set(message!, at);
    }
  })();
  return arrivals;
}

/** Resolves when so many subscriptions get each event as it comes. @throws Error after a minute */
export async function listening(url: string, count: number): Promise<void> {
  const giveUpAt = Date.now() + MINUTE;
  for (;;) {
    const found = await metric(url, "notifyx_delivery_listeners");
    if (found >= count) return;
    if (Date.now() > giveUpAt) throw new Error(`${found} of ${count} subscriptions are live`);
    await delay(50);
  }
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
}
