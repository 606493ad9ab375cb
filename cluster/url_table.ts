/** The table of URLs that ends a start. */

import type { ClusterNode } from "./cluster.ts";

/** `databaseUrl` is shown without its password. */
export function urlTable(nodes: readonly ClusterNode[], databaseUrl: string): string[] {
  const rows: [string, string, string][] = nodes
    .filter(({ kind }) => kind.kind === "gateway")
    .map(({ url, process }) => [process.options.name, `${url}/graphql`, "GraphQL; in a browser GraphiQL"]);
  for (const { url, process } of nodes) rows.push([process.options.name, `${url}/dashboard`, "status page"]);
  rows.push(["PostgreSQL", withoutPassword(databaseUrl), "one database for each service"]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return [
    "",
    ...rows.map(([name, url, note]) => `  ${name.padEnd(widths[0] ?? 0)}  ${url.padEnd(widths[1] ?? 0)}  ${note}`),
    "",
  ];
}

export function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = "";
  for (const name of [...shown.searchParams.keys()]) {
    if (/password|secret|key/i.test(name)) shown.searchParams.delete(name);
  }
  return shown.href;
}
