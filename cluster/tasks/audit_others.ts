/**
 * What participants hold that are none of ours, in whatever store: asked one transaction after the other, by the optional route of
 * docs/participant.md. Those of the last time only, since each is a request.
 */

import { call, callFor } from "../../kit/call.ts";
import type { Sql } from "../../kit/database.ts";
import { SECOND } from "../../kit/time.ts";
import { COMPARABLE, DAMAGE, type Finding, PARTICIPANTS } from "./audit_checks.ts";
import type { Member } from "./member.ts";

/** How many decisions are compared, committed and aborted each, and how many requests there are at once. */
const MOST_ASKED = 500;
const AT_ONCE = 8;
const ASK_LIMIT_MS = 2 * SECOND;

interface Decided {
  readonly id: string;
  readonly state: "committed" | "aborted";
  readonly done: boolean;
}

/** One that was withdrawn isn't asked any more. */
export async function otherDifferences(gateway: Sql, member: Member): Promise<Finding[]> {
  const services = await gateway<{ service: string }[]>`
    select distinct service from participants where service <> all(${[...PARTICIPANTS]}::text[])`;
  const found = await Promise.all(services.map(({ service }) => differencesOf(service, gateway, member)));
  return found.flat();
}

async function differencesOf(service: string, gateway: Sql, member: Member): Promise<Finding[]> {
  const decided = await gateway<Decided[]>`
    (select transaction_id as id, state, done from decisions where state = 'committed' and ${service} = any(participants)
      and decided_at > now() - ${COMPARABLE}::interval order by decided_at desc limit ${MOST_ASKED})
    union all
    (select transaction_id, state, done from decisions where state = 'aborted'
      and decided_at > now() - ${COMPARABLE}::interval order by decided_at desc limit ${MOST_ASKED})`;
  const found: Finding[] = [];
  const left = [...decided];
  const worker = async (urls: readonly string[]) => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      const state = await stateAt(urls, one.id, member.secret);
      // The route is optional.
      if (state === undefined) left.length = 0;
      else found.push(...differenceOf(service, one, state));
    }
  };
  try {
    const urls = await instances(service, member.discoveryUrls);
    await Promise.all(Array.from({ length: AT_ONCE }, () => worker(urls)));
  } catch {
    const todo = "start it; or, if it is gone for good, `deno task withdraw` lets operations go on without it";
    return [{ what: "it takes part, and can't be asked what it holds", id: service, todo }];
  }
  return found;
}

function differenceOf(service: string, { id, state, done }: Decided, theirs: string): Finding[] {
  if (theirs === state) return [];
  if (theirs === "prepared") {
    return [{
      what: `prepared by ${service}, ${state} by the decision log`,
      id,
      todo: "it inquires at a gateway past its deadline, and does as it is told: see whether it runs, and its log",
    }];
  }
  if (theirs === "unknown" && state === "committed" && done) {
    return [{
      what: `committed and confirmed, unknown to ${service}`,
      id,
      todo:
        `was ${service}'s store restored from an older copy? Its sends since then have to be taken from the decision log`,
    }];
  }
  // What it never heard of is aborted as well; a commit that isn't confirmed is found in the decision log.
  if (theirs === "unknown") return [];
  return [{ what: `${theirs} by ${service}, ${state} by the decision log`, id, todo: DAMAGE }];
}

async function instances(service: string, discoveryUrls: readonly string[]): Promise<string[]> {
  let last: unknown;
  for (const discovery of discoveryUrls) {
    try {
      const { instances } = await callFor<{ instances: { url: string }[] }>(
        `${discovery}/api/services/${encodeURIComponent(service)}`,
        { limitMs: ASK_LIMIT_MS },
      );
      return instances.map(({ url }) => url);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** Undefined where it doesn't say; all instances share one store. @throws UserError when none answers */
async function stateAt(urls: readonly string[], id: string, secret: string): Promise<string | undefined> {
  let last: unknown;
  for (const url of urls) {
    try {
      const { status, body } = await call(`${url}/api/transactions_2pc/${id}`, { secret, limitMs: ASK_LIMIT_MS });
      if (status === 404) return undefined;
      const state = (body as { state?: unknown } | null)?.state;
      if (status === 200 && typeof state === "string") return state.slice(0, 20);
      last = new Error(`it answers ${status}`);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
