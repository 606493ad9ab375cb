/** What is open on this machine alone, at every process: a page of another origin that was led here by its name (DNS rebinding) gets nothing. */

import { deepEqual, equal, match } from "node:assert/strict";
import { rawRequest } from "./helpers/raw_request.ts";
import { SECRET, startSystem } from "./helpers/system.ts";

Deno.test("local pages - open by this machine's own names and for members, by no other name", async () => {
  await using system = await startSystem({
    counts: { avatar: 1, mail: 1 },
    env: { NOTIFYX_PUBLIC_URL: "https://notify.example/notifyx" },
  });
  const get = async (url: string, path: string, host: string, more = "") => {
    const head = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${more}\r\n`;
    return await rawRequest(url, [head]);
  };
  const pages = system.cluster.nodes.flatMap(({ kind, url }) =>
    [
      "/dashboard",
      "/dashboard/data",
      "/dashboard/assets/live.js",
      "/metrics",
      ...kind.kind === "mail" ? ["/inbox", "/inbox/1/source"] : [],
    ].map((path) => ({
      url,
      path,
    }))
  );
  equal(pages.length, 4 * 7 + 2);
  for (const { url, path } of pages) {
    const { port } = new URL(url);
    const open = path === "/inbox/1/source" ? 404 : 200;
    const statuses = async (hosts: string[], more?: string) =>
      await Promise.all(hosts.map(async (host) => (await get(url, path, host, more)).status));
    deepEqual(
      await statuses([`127.0.0.1:${port}`, `localhost:${port}`, "[::1]", "notify.example"]),
      [open, open, open, open],
      `${url}${path}`,
    );
    const foreign = [`evil.example:${port}`, `127.0.0.1.evil.example:${port}`, "evil.example"];
    deepEqual(await statuses(foreign), [403, 403, 403], `${url}${path}`);
    deepEqual(await statuses(foreign, `authorization: Bearer ${SECRET}\r\n`), [open, open, open], `${url}${path}`);
    deepEqual(await statuses(foreign, "authorization: Bearer wrong\r\n"), [401, 401, 401], `${url}${path}`);
    const { body } = await get(url, path, "evil.example");
    const { error, code } = JSON.parse(body);
    equal(code, "FORBIDDEN");
    match(error, /^from this machine it opens as localhost, .*NOTIFYX_PUBLIC_URL[^\n]*$/);
  }
});
