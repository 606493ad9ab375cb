/** The table of URLs that ends a start. */

import type { ClusterNode } from "./cluster.ts";
import type { Place } from "./nodes.ts";

/** `databaseUrl` is shown without its password. */
export function urlTable(nodes: readonly ClusterNode[], { databaseUrl, mail }: Place): string[] {
  const ofKind = (wanted: string) => nodes.filter(({ kind }) => kind.kind === wanted);
  const rows: [string, string, string][] = [
    ...ofKind("client").map(({ url, process }) => row(process.options.name, url, "the web client")),
    ...ofKind("gateway").map(({ url, process }) =>
      row(process.options.name, `${url}/graphql`, "GraphQL; in a browser GraphiQL")
    ),
  ];
  const [mailNode] = ofKind("mail");
  if (mailNode !== undefined && mail.smtpUrl === undefined) {
    rows.push(["inbox", `${mailNode.url}/inbox`, "mails: no SMTP server is set, so all of them come here"]);
  }
  for (const { url, process } of nodes) rows.push([process.options.name, `${url}/dashboard`, "status page"]);
  rows.push(["PostgreSQL", withoutPassword(databaseUrl), "one database for each service"]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return [
    "",
    ...rows.map(([name, url, note]) => `  ${name.padEnd(widths[0] ?? 0)}  ${url.padEnd(widths[1] ?? 0)}  ${note}`),
    "",
  ];
}

function row(name: string, url: string, note: string): [string, string, string] {
  return [name, url, note];
}

export function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = "";
  for (const name of [...shown.searchParams.keys()]) {
    if (/password|secret|key/i.test(name)) shown.searchParams.delete(name);
  }
  return shown.href;
}
