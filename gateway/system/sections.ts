/** The instances of all services on the status page: how each says it does, how this gateway sees it, and what is wrong in the whole system. */

import { inWords } from "../../kit/dashboard/format.js";
import type { StatusPage, StatusSection } from "../../kit/status_page.ts";
import type { Balancer } from "../balancer.ts";
import type { Overview } from "../overview.ts";
import { type Heard, MOST_PROCESSES, type SystemTiles } from "./system.ts";

export function systemSections(system: SystemTiles, overview: Overview, balancer: Balancer): StatusPage {
  return [() => processes(system), () => instances(overview, balancer)];
}

function processes(system: SystemTiles): StatusSection {
  return {
    title: "Processes, as each sees itself",
    columns: [
      "service",
      "url",
      "state",
      "requests",
      "failures",
      "95 % within",
      "late by (99 %)",
      "processor",
      "memory",
    ],
    rows: system.heard.map(({ service, url, answer, now }) => [
      service,
      { label: url, href: `${url}/dashboard` },
      inFewWords(answer),
      inWords(now.requests, "perSecond"),
      inWords(now.failures, "perSecond"),
      inWords(now.p95, "seconds"),
      inWords(now.lag, "seconds"),
      inWords(now.cpu, "share"),
      inWords(now.memory, "bytes"),
    ]),
  };
}

function inFewWords(answer: Heard["answer"]): string {
  if (answer === "silent") return "no answer";
  if (answer === "foreign") return "says nothing of itself";
  return answer.ready
    ? answer.problems.length === 0 ? "ready" : `ready, but ${answer.problems[0]}`
    : answer.problems[0] ?? "not ready";
}

function instances(overview: Overview, balancer: Balancer): StatusSection {
  const all = overview.services().flatMap((service) => service.instances);
  const pending = new Map(balancer.endpoints().map((endpoint) => [endpoint.instance.id, endpoint.pending]));
  return {
    title: all.length > MOST_PROCESSES
      ? `Services, as this gateway sees them: ${MOST_PROCESSES} of ${all.length}`
      : "Services, as this gateway sees them",
    columns: [
      "service",
      "url",
      "health",
      "breaker",
      "waiting",
      "calls",
      "without answer",
      "half / 99 % within ms",
      "takes part in",
      "version",
      "since",
    ],
    rows: all.slice(0, MOST_PROCESSES).map((one) => [
      one.service,
      one.url,
      one.health.toLowerCase(),
      one.breaker.toLowerCase(),
      pending.get(one.id) ?? 0,
      one.calls,
      one.errors,
      one.p50Ms === null ? "" : `${one.p50Ms.toFixed(1)} / ${one.p99Ms!.toFixed(1)}`,
      one.participates.join(", "),
      one.version ?? "",
      one.startedAt,
    ]),
  };
}

/** What is wrong beyond this gateway itself, each instance in one line. For the services that are `needed` it waits, which it says itself. */
export function systemProblems(
  system: SystemTiles,
  overview: Overview,
  ownId: string,
  needed: readonly string[],
): string[] {
  const said = new Map(system.heard.map((one) => [one.url, one.answer]));
  const services = overview.services();
  return [
    ...overview.away().filter((name) => !needed.includes(name)).map((name) =>
      `${name} is away: what comes from it is null`
    ),
    ...services.filter(({ conflicts }) => conflicts.length > 0).map(({ name }) => `the types of ${name} are refused`),
    ...services.flatMap(({ instances }) => instances).filter(({ id }) => id !== ownId).flatMap((one) => {
      const answer = said.get(one.url);
      const wrong = [
        ...answer === "silent" || one.health === "DOWN" ? ["doesn't answer"] : [],
        ...one.breaker === "CLOSED" ? [] : ["its breaker is open"],
        ...typeof answer === "object" ? answer.problems : [],
      ];
      return wrong.length === 0 ? [] : [`${one.service} at ${new URL(one.url).host}: ${wrong.join(", ")}`];
    }),
    ...system.heard.filter(({ service }) => service === "discovery").flatMap(({ url, answer }) => {
      const wrong = answer === "silent" ? ["doesn't answer"] : typeof answer === "object" ? answer.problems : [];
      return wrong.length === 0 ? [] : [`discovery at ${new URL(url).host}: ${wrong.join(", ")}`];
    }),
  ];
}
