/**
 * The peer: Hive Gateway from npm, on the Node that it is made for, one process in production mode with no plugin, on the supergraph that
 * its own composition library makes of the same subgraphs.
 */

import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";
import { delay, MINUTE } from "../../kit/time.ts";
import { onCore } from "../lib/cores.ts";
import { npxPrograms } from "../lib/npx.ts";
import { SUBGRAPHS } from "./catalog.ts";

const PACKAGES = ["node@24", "@graphql-hive/gateway@2"];
const encoder = new TextEncoder();

export interface Gateway {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** @throws Error that says why it can't be had or doesn't start */
export async function startHive(urls: Record<string, string>, core: number, options: string[]): Promise<Gateway> {
  const [node, program] = await npxPrograms(PACKAGES, ["node", "hive-gateway"]) as [string, string];
  const folder = await Deno.makeTempDir({ prefix: "notifyx-bench-" });
  await Deno.writeTextFile(`${folder}/supergraph.graphql`, compose(urls));
  const port = freePort();
  const child = new Deno.Command(node, {
    args: [program, "supergraph", "supergraph.graphql", "--host", "127.0.0.1", "--port", String(port), ...options],
    cwd: folder,
    env: { NODE_ENV: "production" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "";
  const keepTail = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
    stream.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({ write: (text) => void (said = (said + text).slice(-1_000)) }),
    );
  const saying = Promise.all([child.stdout, child.stderr].map(keepTail));
  let hasEnded = false;
  const ended = child.status.then(() => hasEnded = true);
  const stop = async () => {
    if (!hasEnded) child.kill("SIGKILL");
    await ended;
    await saying;
    await Deno.remove(folder, { recursive: true });
  };
  await onCore(core, child.pid);
  const url = `http://127.0.0.1:${port}/graphql`;
  const giveUpAt = Date.now() + MINUTE;
  while (!await answers(url)) {
    if (!hasEnded && Date.now() < giveUpAt) {
      await delay(100);
      continue;
    }
    await stop();
    throw new Error(`it doesn't start: ${said.trim()}`);
  }
  return { url, pid: child.pid, stop };
}

function compose(urls: Record<string, string>): string {
  const { supergraphSdl, errors } = composeServices(
    Object.entries(SUBGRAPHS).map(([name, { federation }]) => ({
      name,
      url: `${urls[name]}/graphql`,
      typeDefs: parse(federation),
    })),
  );
  if (supergraphSdl === undefined) throw new Error(`its supergraph can't be composed: ${errors?.join("; ")}`);
  return supergraphSdl;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: encoder.encode('{"query":"{ __typename }"}'),
      signal: AbortSignal.timeout(2_000),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
