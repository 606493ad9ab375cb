/** Prometheus's files by themselves: promtool takes them, every alert has its paragraph and its tests, and every metric is one. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { METRICS } from "../kit/metrics/catalogue.ts";
import type { Definition } from "../kit/metrics/definition.ts";
import { PROMTOOL, sayIfNoPrometheus } from "./helpers/prometheus.ts";
import { configFor, fasterRules, FOLDER, namesIn, ruleFiles, rulesOf } from "./helpers/prometheus_files.ts";

const RULES = ruleFiles().flatMap(rulesOf);
const ALERTS = RULES.filter(({ alert }) => alert !== undefined);
const RECORDED = new Set(RULES.flatMap(({ record }) => record ?? []));
const CATALOGUE = new Map<string, Definition>(Object.entries(METRICS));
/** What Prometheus itself adds. */
const ADDED = { labels: ["job", "instance", "exported_instance", "le"], metrics: ["up"] };
/** What a histogram is made of. */
const SERIES = /_(bucket|count|sum)$/;

sayIfNoPrometheus("monitoring");

Deno.test("monitoring - each alert says in one line what is wrong, how urgent it is, and where it stands in the runbook", async () => {
  const text = await Deno.readTextFile(new URL("../docs/runbook.md", import.meta.url));
  const paragraphs = [...text.matchAll(/^## (.+)\n\n([^]*?)(?=\n## |$(?![^]))/gm)].map(([, title, body]) => {
    for (const part of ["Look", "Do|do"]) assert.match(body!, new RegExp(`\\*\\*(${part})`), `${title}: no ${part}`);
    return title!;
  });
  assert.deepEqual([...new Set(ALERTS.map(({ alert }) => alert!))].sort(), paragraphs.toSorted());
  assert.equal(new Set(paragraphs).size, paragraphs.length);
  for (const { alert, labels, annotations } of ALERTS) {
    assert.deepEqual(Object.keys(labels!), ["severity"], alert);
    assert.match(labels!.severity!, /^(page|ticket)$/, alert);
    assert.deepEqual(Object.keys(annotations!), ["summary", "runbook"], alert);
    assert.match(annotations!.summary!, /^.{10,140}$/, alert);
    // As GitHub and GitLab name a heading's place.
    assert.equal(annotations!.runbook, `docs/runbook.md#${alert!.toLowerCase()}`);
  }
});

Deno.test("monitoring - every metric in a rule is in the catalogue, with the labels that it is asked by, or is recorded", () => {
  for (const { alert, record, expr } of RULES) {
    const names = expr.matchAll(/(?<![\w:"])((?:notifyx_|\w+:)[\w:]+|up)\b(?:\{([^}]*)\})?/g);
    let count = 0;
    for (const [, name, matchers = ""] of names) {
      count++;
      if (RECORDED.has(name!) || ADDED.metrics.includes(name!)) continue;
      const definition = CATALOGUE.get(name!) ?? CATALOGUE.get(name!.replace(SERIES, ""));
      assert.ok(definition, `${alert ?? record}: ${name} is not in the catalogue`);
      assert.equal(definition.type === "histogram", SERIES.test(name!), `${alert ?? record}: ${name}`);
      for (const [, label] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
        const isLabel = [...ADDED.labels, ...definition.labels].includes(label!);
        assert.ok(isLabel, `${alert ?? record}: ${name} has no label ${label}`);
      }
    }
    assert.ok(count > 0, `${alert ?? record} asks for nothing`);
  }
});

Deno.test("monitoring - promtool's tests have for each alert a moment at which it fires, and one at which it doesn't", () => {
  interface RuleTests {
    readonly tests: { readonly alert_rule_test: { readonly alertname: string; readonly exp_alerts: unknown[] }[] }[];
  }
  const files = namesIn("tests/").map((name) => Deno.readTextFileSync(new URL(`tests/${name}`, FOLDER)));
  const moments = files.flatMap((text) => (parse(text) as RuleTests).tests).flatMap((one) => one.alert_rule_test);
  for (const { alert } of ALERTS) {
    const own = moments.filter(({ alertname }) => alertname === alert);
    assert.ok(own.some(({ exp_alerts }) => exp_alerts.length > 0), `${alert} never fires`);
    assert.ok(own.some(({ exp_alerts }) => exp_alerts.length === 0), `${alert} always fires`);
  }
});

Deno.test({
  name:
    "monitoring - promtool takes the configuration and the rules, as they are and by a faster clock, and its tests pass",
  ignore: PROMTOOL === undefined,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    try {
      await t.step("check config", async () => {
        await promtool("check", "config", "--syntax-only", fileURLToPath(new URL("prometheus.yml", FOLDER)));
        const place = { discoveryUrl: "http://127.0.0.1:4100", secretFile: "secret", port: 9090, faster: 10 };
        await Deno.writeTextFile(join(folder, "secret"), "a secret");
        await Deno.mkdir(join(folder, "rules"));
        for (const file of ruleFiles()) await Deno.writeTextFile(join(folder, "rules", file), fasterRules(file, 10));
        await Deno.writeTextFile(join(folder, "fast.yml"), configFor({ ...place, rules: "rules/*.yml" }));
        // It reads the files that a configuration names.
        await promtool("check", "config", join(folder, "fast.yml"));
      });
      await t.step("check rules", async () => {
        await promtool("check", "rules", ...paths("rules/"));
      });
      await t.step("test rules", async () => {
        await Promise.all(paths("tests/").map((path) => promtool("test", "rules", path)));
      });
      await t.step("the configuration that docs/monitoring.md makes for a system on this machine", async () => {
        const guide = await Deno.readTextFile(new URL("../docs/monitoring.md", import.meta.url));
        const script = /```sh\n(sed [^]*?)\nprometheus /.exec(guide)?.[1];
        assert.ok(script, "docs/monitoring.md has no sed before its prometheus");
        const checkout = fileURLToPath(new URL("..", import.meta.url));
        const made = await output("/bin/sh", ["-c", script.replace(/> \S+$/, "")], checkout);
        assert.match(made, /url: http:\/\/127\.0\.0\.1:4100\/api\/prometheus\n/);
        assert.doesNotMatch(made, /discovery:4100|\/run\/secrets/);
        const path = join(folder, "local.yml");
        await Deno.writeTextFile(
          path,
          made.replace(/credentials_file: .*/, `credentials_file: ${join(folder, "secret")}`),
        );
        await promtool("check", "config", path);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

function paths(folder: string): string[] {
  return namesIn(folder).map((name) => fileURLToPath(new URL(`${folder}${name}`, FOLDER)));
}

async function promtool(...args: string[]): Promise<void> {
  await output(PROMTOOL!, args);
}

async function output(program: string, args: string[], cwd?: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd, stdin: "null" }).output();
  const [said, wrong] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, `${args.join(" ")}: ${said}${wrong}`);
  return said!;
}
