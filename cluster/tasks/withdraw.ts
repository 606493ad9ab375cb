/** `deno task withdraw SERVICE OPERATION`: from now on the operation goes on without that service, which has stopped for good. */

import { callFor } from "../../kit/call.ts";
import { reason } from "../../kit/directory.ts";
import { SECOND } from "../../kit/time.ts";
import { member } from "./member.ts";

const [service, operation] = Deno.args;
if (service === undefined || operation === undefined || Deno.args.length > 2 || service.startsWith("-")) {
  console.log(
    "deno task withdraw SERVICE OPERATION\n\nAn operation needs every service that ever named it. This lets it go on without one that is gone for good.",
  );
  Deno.exit(service === "--help" ? 0 : 2);
}
const { gatewayUrl, secret } = member();
const path = `/api/participants/${encodeURIComponent(service)}/${encodeURIComponent(operation)}`;
try {
  const { wasRequired } = await callFor<{ wasRequired: boolean }>(gatewayUrl + path, {
    method: "DELETE",
    secret,
    limitMs: 5 * SECOND,
  });
  console.log(wasRequired ? `${operation} goes on without ${service}` : `${operation} did not need ${service}`);
} catch (error) {
  console.error(`${service} is not withdrawn: ${reason(error)}`);
  Deno.exit(1);
}
