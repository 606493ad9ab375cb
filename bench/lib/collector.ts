/** A collector of traces that takes them and keeps nothing. Prints its port, and with `GET /` says how many requests there were. */

let requests = 0;
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) }, async (request) => {
  if (request.method === "GET") return new Response(String(requests));
  await request.arrayBuffer();
  requests++;
  return new Response(null, { headers: { "content-type": request.headers.get("content-type") ?? "" } });
});
