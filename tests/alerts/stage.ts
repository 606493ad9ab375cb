/** One system with a Prometheus whose clock is faster, and a little of what people do, going on all the time. */

import { SECOND } from "../../kit/time.ts";
import { User } from "../helpers/client.ts";
import { Prometheus } from "../helpers/prometheus.ts";
import { type SmtpSink } from "../helpers/smtp_sink.ts";
import { listening, SECRET, startSystem, type SystemOptions } from "../helpers/system.ts";
import type { Stage } from "./fault.ts";

/** By how much the clock of Prometheus and its rules is faster than in monitoring/prometheus. */
export const FASTER = 10;
const SEND_EVERY_MS = SECOND / 5;
/** A send that gets no answer takes seconds: so many wait at once, at most. */
const MOST_SENDING = 30;

export async function onStage(
  options: SystemOptions & { readonly smtp?: SmtpSink },
  use: (stage: Stage) => Promise<void>,
): Promise<void> {
  await using system = await startSystem(options);
  await using prometheus = await Prometheus.start({
    discoveryUrl: system.url("discovery"),
    secret: SECRET,
    faster: FASTER,
  });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using socket = await bob.connect();
  socket.subscribe("subscription { notificationReceived { message } }");
  await listening(system, 1);
  const kinds = Map.groupBy(system.cluster.nodes, ({ kind }) => kind.kind);
  const stopSending = sendSteadily(ann, topicId);
  try {
    await prometheus.sees(Object.fromEntries([...kinds].map(([kind, nodes]) => [kind, nodes.length])));
    await use({ system, prometheus, ann, bob, topicId, smtp: options.smtp });
  } finally {
    await stopSending();
  }
}

function sendSteadily(ann: User, topicId: string): () => Promise<void> {
  const sending = new Set<Promise<unknown>>();
  const timer = setInterval(() => {
    if (sending.size >= MOST_SENDING) return;
    const one: Promise<unknown> = ann.send(topicId, "one of many").catch(() => {}).finally(() => sending.delete(one));
    sending.add(one);
  }, SEND_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await Promise.all(sending);
  };
}
