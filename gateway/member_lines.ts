/** A stream of JSON lines from whichever instance of a service answers, on a route for members of the cluster. */

import { TextLineStream } from "./delivery/text_lines.ts";
import type { Balancer } from "./balancer.ts";

export interface MemberLines {
  readonly balancer: Balancer;
  readonly secret: string;
  readonly service: string;
  /** The route, with its query. */
  readonly path: string;
  /** A stream that says nothing for so long is dead or frozen, in milliseconds. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/** Calls `take` with each line until the stream ends. @throws what is wrong with the stream; then another instance's turn comes */
export async function readMemberLines(
  { balancer, secret, service, path, silenceMs, signal }: MemberLines,
  take: (line: unknown) => void,
): Promise<void> {
  const instance = balancer.pick(service);
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMs);
  const over = AbortSignal.any([signal, silence.signal]);
  try {
    const response = await fetch(instance.url + path, { headers: { authorization: `Bearer ${secret}` }, signal: over });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`${response.status} from ${service}`);
    }
    // The signal once more: on Deno 2.9 that of a fetch has no effect any more once its Response was collected.
    for await (const line of response.body.pipeThrough(new TextLineStream(), { signal: over })) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
      take(JSON.parse(line));
    }
  } catch (error) {
    if (!signal.aborted) balancer.failed(instance);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
