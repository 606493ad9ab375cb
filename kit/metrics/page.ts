/** `deno task metrics:docs [--check]`: docs/metrics.md from the catalogue. With --check it only looks, and exits 1 where that is stale. */

import { formatted } from "../formatted.ts";
import { METRICS } from "./catalogue.ts";
import { type Definition, type Holder, HOLDERS } from "./definition.ts";

export const PAGE = new URL("../../docs/metrics.md", import.meta.url);

const HEAD = `<!-- Generated from kit/metrics/ by \`deno task metrics:docs\`; a test fails where it is stale. -->

# Metrics

Every process serves \`GET /metrics\` for Prometheus: from loopback to anyone, from elsewhere to who brings the cluster's
secret (\`Authorization: Bearer …\`). Discovery lists all of them, \`GET /api/prometheus\`, by which Prometheus finds them
and gives each sample its \`job\`, the kind of the process, and its \`instance\`, host and port. Where a metric has a label
\`instance\` of its own, the instance that a gateway asks, Prometheus calls that \`exported_instance\`.
Who asks for OpenMetrics, as Prometheus does, gets exemplars with it: traces that took as long as a bucket says
([tracing.md](tracing.md)).

These are all that there are. Names end in their unit, those of counters in \`_total\`. A label's values are few, however
many users, topics and documents there are. A counter or a histogram with labels has no series until the first of its kind.
`;

/** The text of docs/metrics.md, as it is formatted. */
export async function metricsPage(): Promise<string> {
  const sections = (Object.keys(HOLDERS) as Holder[]).map(section).filter((text) => text !== "");
  return await formatted([HEAD, ...sections].join("\n"), "md");
}

function section(holder: Holder): string {
  const own = Object.entries<Definition>(METRICS).filter(([, { of }]) => of === holder);
  if (own.length === 0) return "";
  const kinds = HOLDERS[holder];
  const isGroup = holder !== "every process" && kinds.length > 1;
  return [
    `## ${holder.charAt(0).toUpperCase()}${holder.slice(1)}`,
    ...isGroup ? ["", `These are ${kinds.join(", ")}.`] : [],
    "",
    "| metric | type | labels | what it says |",
    "|---|---|---|---|",
    ...own.map(row),
    "",
    ...own.flatMap(bounds),
  ].join("\n");
}

function row([name, { type, labels, help }]: [string, Definition]): string {
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`;
}

/** A paragraph of a histogram's buckets. */
function bounds([name, { buckets }]: [string, Definition]): string[] {
  return buckets === undefined ? [] : [`Buckets of \`${name}\`: ${buckets.join(", ")}.`, ""];
}

if (import.meta.main) {
  const text = await metricsPage();
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(PAGE, text);
  else if (text !== await Deno.readTextFile(PAGE)) {
    console.error("docs/metrics.md is stale: deno task metrics:docs");
    Deno.exit(1);
  }
}
