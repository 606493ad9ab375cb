/** The one connection of this app to Notifyx, by the client library. The session's token isn't here: the client's server puts it in. */

import { createNotifyx, type Notifyx } from "../../../lib/mod.ts";
import { viewer } from "../session/session.ts";

let client: Notifyx | undefined;

/** For whoever is signed in; the page is loaded anew for another one. The tabs of one user share a socket. */
export function notifyx(): Notifyx {
  return client ??= createNotifyx({ url: "/graphql", tabs: viewer.get()?.id ?? false });
}
