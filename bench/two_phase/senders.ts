/** Senders outside the system: sendNotification over HTTP. Arguments: URL, token, topic, senders, warm-up seconds, seconds. Prints JSON. */

import { load } from "../lib/figures.ts";
import { HttpConnection } from "../lib/http_connection.ts";

const [url, token, topicId, senders, warmUp, seconds] = Deno.args as [string, string, string, string, string, string];
const body = JSON.stringify({
  query: 'mutation ($topicId: ID!) { sendNotification(topicId: $topicId, message: "hello") { id } }',
  variables: { topicId },
});
const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };

const connections = await Promise.all(
  Array.from({ length: Number(senders) }, () => HttpConnection.open(url, headers, body)),
);

const figures = await load(Number(senders), Number(warmUp), Number(seconds), async (sender) => {
  const answer = await connections[sender]!.ask();
  if (answer.includes('"errors"')) throw new Error(answer);
});
for (const connection of connections) connection.close();
console.log(JSON.stringify(figures));
