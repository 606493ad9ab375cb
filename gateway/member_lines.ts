/** A stream of JSON lines from whichever instance of a service answers, on a route for members of the cluster. */

import { type Instance, reason } from "../kit/directory.ts";
import { UserError } from "../kit/errors.ts";
import type { Balancer } from "./balancer.ts";
import { TextLineStream } from "./delivery/text_lines.ts";

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
export async function readMemberLines(from: MemberLines, take: (line: unknown) => void): Promise<void> {
  const { balancer, service, silenceMs, signal } = from;
  const stream = await balancer.ask(service, silenceMs, (instance, limitMs) => open(from, instance, limitMs));
  const cut = () => stream.abort.abort();
  signal.addEventListener("abort", cut, { once: true });
  let timer = setTimeout(cut, signal.aborted ? 0 : silenceMs);
  try {
    // The signal once more: on Deno 2.9 that of a fetch has no effect any more once its Response was collected.
    for await (const line of stream.body.pipeThrough(new TextLineStream(), { signal: stream.abort.signal })) {
      clearTimeout(timer);
      timer = setTimeout(cut, silenceMs);
      take(JSON.parse(line));
    }
  } catch (error) {
    if (!signal.aborted) balancer.failed(stream.instance);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cut);
  }
}

interface Stream {
  readonly instance: Instance;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly abort: AbortController;
}

/** @throws UserError `SERVICE_UNAVAILABLE` or `TIMEOUT`, whose text says why */
async function open({ secret, service, path }: MemberLines, instance: Instance, limitMs: number): Promise<Stream> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), limitMs);
  try {
    const response = await fetch(instance.url + path, {
      headers: { authorization: `Bearer ${secret}` },
      signal: abort.signal,
    });
    if (response.ok && response.body !== null) return { instance, body: response.body, abort };
    await response.body?.cancel();
    throw new Error(`${response.status} from ${service}`);
  } catch (error) {
    throw new UserError(abort.signal.aborted ? "TIMEOUT" : "SERVICE_UNAVAILABLE", reason(error));
  } finally {
    clearTimeout(timer);
  }
}
