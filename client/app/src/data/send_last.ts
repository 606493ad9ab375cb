/** For a page that is being left: the browser still sends it, and nobody waits for the answer any more. */
export function sendLast(query: string, variables: object): void {
  void fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
    keepalive: true,
  });
}
