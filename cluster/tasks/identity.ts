/** `deno task identity --user EMAIL`: an identity of that user, as the gateway sends one with its calls, to look at a service by itself. */

import { parseArgs } from "node:util";
import { callFor } from "../../kit/call.ts";
import { type Instance, reason } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import { IDENTITY_HEADER } from "../../kit/identity.ts";
import { SECOND } from "../../kit/time.ts";
import { member } from "./member.ts";

const LIMIT_MS = 5 * SECOND;
const HELP = `deno task identity --user EMAIL

Prints an identity of the user with that e-mail address: what the gateway sends with each call of theirs. It lasts for a
minute. A service by itself takes it in the header ${IDENTITY_HEADER}:

  curl http://127.0.0.1:4200/graphql -H 'content-type: application/json' \\
    -H "${IDENTITY_HEADER}: $(deno task identity --user ann@example.com)" -d '{"query": "{ me { email } }"}'

In a service's GraphiQL it goes in the Headers tab: { "${IDENTITY_HEADER}": "…" }

It takes the cluster's secret: NOTIFYX_CLUSTER_SECRET, or what deno task start keeps in this checkout.`;

const email = readArguments();
const { discoveryUrls, secret } = member();
try {
  console.log(await identityOf(email));
} catch (error) {
  console.error(`there is no identity of ${email}: ${reason(error)}`);
  Deno.exit(1);
}

function readArguments(): string {
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: { user: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      console.log(HELP);
      Deno.exit(0);
    }
    if (values.user) return values.user;
    console.error("it takes --user EMAIL; --help says more");
  } catch (error) {
    console.error(`${reason(error)}; --help says what it takes`);
  }
  Deno.exit(2);
}

/** From whichever auth node answers. @throws UserError what auth says, or that nobody is there */
async function identityOf(email: string): Promise<string> {
  let last: unknown;
  for (const { url } of await authNodes()) {
    try {
      const body = { email };
      return (await callFor<{ identity: string }>(`${url}/api/identity`, { body, secret, limitMs: LIMIT_MS })).identity;
    } catch (error) {
      if (!isAway(error)) throw error;
      last = error;
    }
  }
  throw last;
}

/** As any discovery node knows them; one or more. */
async function authNodes(): Promise<Instance[]> {
  for (const discovery of discoveryUrls) {
    try {
      const url = `${discovery}/api/services/auth`;
      return (await callFor<{ instances: Instance[] }>(url, { limitMs: LIMIT_MS })).instances;
    } catch (error) {
      if (!isAway(error)) throw new UserError("SERVICE_UNAVAILABLE", "auth is away just now", {}, error);
    }
  }
  const where = discoveryUrls.join(", ");
  throw new UserError("SERVICE_UNAVAILABLE", `discovery doesn't answer at ${where}; is the system running?`);
}

function isAway(error: unknown): boolean {
  return error instanceof UserError && (error.code === "SERVICE_UNAVAILABLE" || error.code === "TIMEOUT");
}
