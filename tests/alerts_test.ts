/**
 * Each alert's fault made for real, on a real system that Debian's Prometheus finds by discovery: the alert fires, and is over when the
 * fault is. Some in each run of all tests, all by `deno task test:alerts`. Prometheus's clock is ten times as fast
 * (helpers/prometheus_files.ts).
 */

import assert from "node:assert/strict";
import { SECOND } from "../kit/time.ts";
import type { Fault, Stage } from "./alerts/fault.ts";
import { CONNECTIONS, PREPARED } from "./alerts/of_database.ts";
import { SOCKETS } from "./alerts/of_delivery.ts";
import { firing, raise, type Row, table } from "./alerts/raise.ts";
import { SCENES, SHORT } from "./alerts/scenes.ts";
import { onStage } from "./alerts/stage.ts";
import { PROMETHEUS, sayIfNoPrometheus } from "./helpers/prometheus.ts";
import { ruleFiles, rulesOf } from "./helpers/prometheus_files.ts";
import { SmtpSink } from "./helpers/smtp_sink.ts";
import { until } from "./helpers/system.ts";

/** `whole`, `some`, or names of alerts with commas between them: the scenes that have one of these. */
const CHOSEN = Deno.env.get("NOTIFYX_TEST_ALERTS")?.split(",");
const SOME = CHOSEN?.[0] === "some";
sayIfNoPrometheus("alerts");
if (CHOSEN === undefined) console.log("alerts: most are left to deno task test:alerts");

Deno.test("alerts - there is a fault for each", () => {
  const raised = new Set(SCENES.flat().flatMap(({ raises }) => raises.map(({ alert }) => alert)));
  const alerts = new Set(ruleFiles().flatMap(rulesOf).flatMap(({ alert }) => alert ?? []));
  assert.deepEqual([...raised].sort(), [...alerts].sort());
});

Deno.test({
  name:
    "alerts - a process frozen, the feed locked, sockets over the limit, a full disk: each is told, and is over in time",
  ignore: PROMETHEUS === undefined || CHOSEN !== undefined && !SOME,
  fn: () =>
    onStage({ env: { NOTIFYX_SOCKETS: `${SOCKETS}` } }, async (stage) => {
      print(await raise(stage, SHORT));
    }),
});

Deno.test({
  name: "alerts - each is told of its fault, is over when that is, and none fires while all is well",
  ignore: PROMETHEUS === undefined || CHOSEN === undefined || SOME,
  async fn(t) {
    await using smtp = await SmtpSink.start();
    const options = {
      smtp,
      counts: { avatar: 2, mail: 1 },
      postgres: { max_connections: `${CONNECTIONS}`, max_prepared_transactions: `${PREPARED}` },
      env: {
        NOTIFYX_SOCKETS: `${SOCKETS}`,
        NOTIFYX_CRASH_POINTS: "1",
        NOTIFYX_SMTP_URL: smtp.url,
        NOTIFYX_MAILS_PER_HOUR_OF_USER: "1000",
        NOTIFYX_MAIL_RETRY_SECONDS: "1",
        NOTIFYX_MAIL_RETRY_MOST_SECONDS: "2",
        NOTIFYX_AVATAR_WORKERS: "1",
        NOTIFYX_AVATAR_QUEUE: "2",
        NOTIFYX_AVATAR_CACHE_BYTES: "0",
        NOTIFYX_BODY_BYTES: `${64 * 1024 ** 2}`,
        NOTIFYX_OPERATIONS_PER_MINUTE_OF_ADDRESS: "1000000000",
      },
    };
    await onStage(options, async (stage) => {
      const rows: Row[] = [];
      await quiet(stage);
      for (const scene of SCENES.filter(isChosen)) {
        await t.step(scene.map(({ what }) => what).join("; "), async () => {
          rows.push(...await raise(stage, scene));
          await quiet(stage);
        });
      }
      print(rows);
    });
  },
});

function isChosen(scene: readonly Fault[]): boolean {
  return CHOSEN!.includes("whole") || scene.some(({ raises }) => raises.some(({ alert }) => CHOSEN!.includes(alert)));
}

/**
 * What a fault has raised besides is over as well, and nothing else fires: for some seconds, since what it left undone may be as old as an
 * alert allows by the faster clock before it is taken up.
 */
async function quiet(stage: Stage): Promise<void> {
  let [fires, quietSince]: [string[], number] = [[], performance.now()];
  await until("no alert fires", async () => {
    fires = await firing(stage);
    if (fires.length > 0) quietSince = performance.now();
    return performance.now() - quietSince > 5 * SECOND;
  }, 90 * SECOND).catch((error) => {
    throw new Error(`${error.message}: ${fires.join(", ")}`);
  });
}

function print(rows: readonly Row[]): void {
  console.log(`\n${table(rows)}\n`);
}
