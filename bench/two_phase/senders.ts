/** Senders outside the system: sendNotification over HTTP. Arguments: URL, token, topic, senders, warm-up seconds, seconds. Prints JSON. */

import { load } from "../lib/figures.ts";

const [url, token, topicId, senders, warmUp, seconds] = Deno.args as [string, string, string, string, string, string];
const body = JSON.stringify({
  query: 'mutation ($topicId: ID!) { sendNotification(topicId: $topicId, message: "hello") { id } }',
  variables: { topicId },
});
const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };

const figures = await load(Number(senders), Number(warmUp), Number(seconds), async () => {
  const response = await fetch(url, { method: "POST", headers, body });
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
});
console.log(JSON.stringify(figures));
