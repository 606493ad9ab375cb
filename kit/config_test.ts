/** Settings that mean more than their text. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { checkConfig, COMMON_SETTINGS, publicUrl, settingFiles } from "./config.ts";
import { TRACING_SETTINGS } from "./tracing/settings.ts";

const { NOTIFYX_PUBLIC_URL, NOTIFYX_BASE_PORT, NOTIFYX_CLUSTER_SECRET } = COMMON_SETTINGS;

function read(environment: Record<string, string>): string | string[] {
  const checked = checkConfig({ NOTIFYX_PUBLIC_URL, NOTIFYX_BASE_PORT }, (name) => environment[name]);
  return "config" in checked ? publicUrl(checked.config) : checked.faults;
}

Deno.test("config - people reach the gateway at NOTIFYX_PUBLIC_URL, else on this machine at the base port", () => {
  assert.equal(read({}), "http://127.0.0.1:4000");
  assert.equal(read({ NOTIFYX_BASE_PORT: "5000" }), "http://127.0.0.1:5000");
  assert.equal(read({ NOTIFYX_PUBLIC_URL: "https://notify.example/x//" }), "https://notify.example/x");
  for (const wrong of ["notify.example", "ftp://notify.example", "https://notify.example/?a", "https://n.example/#"]) {
    assert.match(String(read({ NOTIFYX_PUBLIC_URL: wrong })), /^NOTIFYX_PUBLIC_URL holds .*; it takes .*URL/);
  }
});

Deno.test("config - a secret may be in a file: what the file says is told nowhere, and the variable itself counts more", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = join(folder, "secret");
    const read = (environment: Record<string, string>) => {
      const checked = checkConfig({ NOTIFYX_CLUSTER_SECRET, NOTIFYX_BASE_PORT }, (name) => environment[name]);
      return "config" in checked ? checked.config.NOTIFYX_CLUSTER_SECRET : checked.faults;
    };
    const secret = "a secret that is long enough for a cluster";
    Deno.writeTextFileSync(file, `${secret}\n`);
    assert.equal(read({ NOTIFYX_CLUSTER_SECRET_FILE: file }), secret);
    assert.equal(read({ NOTIFYX_CLUSTER_SECRET_FILE: file, NOTIFYX_CLUSTER_SECRET: "x".repeat(32) }), "x".repeat(32));

    Deno.writeTextFileSync(file, "too short");
    assert.deepEqual(read({ NOTIFYX_CLUSTER_SECRET_FILE: file }), [
      "NOTIFYX_CLUSTER_SECRET holds a value that is not shown here; it takes at least 32 characters",
    ]);
    Deno.writeTextFileSync(file, "\n");
    assert.deepEqual(read({ NOTIFYX_CLUSTER_SECRET_FILE: file }), [
      `NOTIFYX_CLUSTER_SECRET_FILE is "${file}", which can't be used: it is empty`,
    ]);
    Deno.writeTextFileSync(file, "x".repeat(100_000));
    assert.match(String(read({ NOTIFYX_CLUSTER_SECRET_FILE: file })), /can't be used: it is over 65536 bytes$/);
    assert.match(
      String(read({ NOTIFYX_CLUSTER_SECRET_FILE: `${file}s` })),
      /^NOTIFYX_CLUSTER_SECRET_FILE .*No such file/,
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("config - only what is never shown may be in a file", () => {
  const schema = { NOTIFYX_CLUSTER_SECRET, NOTIFYX_PUBLIC_URL, NOTIFYX_BASE_PORT };
  assert.deepEqual(settingFiles(schema, (name) => name.endsWith("_FILE") ? "/a" : undefined), {
    NOTIFYX_CLUSTER_SECRET: "/a",
    NOTIFYX_PUBLIC_URL: "/a",
  });
  assert.deepEqual(settingFiles(schema, () => "given"), {});
});

Deno.test("config - settings of traces are checked, and those that may hold a secret are not shown", () => {
  const traced = (environment: Record<string, string>) => {
    const checked = checkConfig(TRACING_SETTINGS, (name) => environment[name]);
    return "config" in checked ? checked.config : checked.faults;
  };
  assert.deepEqual(traced({}), {
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_TRACES_SAMPLER: "traceidratio",
    OTEL_TRACES_SAMPLER_ARG: 0.01,
    OTEL_BSP_SCHEDULE_DELAY: 5000,
  });
  const given = traced({
    OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector.example:4318/otlp/",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20x=,tenant = a",
    OTEL_TRACES_SAMPLER_ARG: ".5",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=production",
  });
  assert.ok(!Array.isArray(given));
  assert.deepEqual(given.OTEL_EXPORTER_OTLP_HEADERS, { authorization: "Bearer x=", tenant: "a" });
  assert.equal(given.OTEL_TRACES_SAMPLER_ARG, 0.5);
  const wrong: [string, string, RegExp][] = [
    [
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "collector:4318",
      /^OTEL_EXPORTER_OTLP_ENDPOINT holds a value that is not shown here;/,
    ],
    [
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "http://collector:4318/?key=secret",
      /not shown here; it takes the collector's URL/,
    ],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", /is "grpc"; it takes http\/protobuf or http\/json$/],
    ["OTEL_EXPORTER_OTLP_HEADERS", "Bearer secret", /not shown here; it takes pairs such as name=value/],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=%zz", /not shown here; it takes pairs such as name=value/],
    ["OTEL_TRACES_SAMPLER", "jaeger_remote", /it takes one of traceidratio, always_on/],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5", /is "1.5"; it takes a number from 0 to 1$/],
    ["OTEL_TRACES_SAMPLER_ARG", "1 %", /is "1 %"; it takes a number from 0 to 1$/],
    ["OTEL_BSP_SCHEDULE_DELAY", "0", /it takes a whole number from 1 to 60000$/],
    ["OTEL_RESOURCE_ATTRIBUTES", "production", /it takes pairs/],
  ];
  for (const [name, value, says] of wrong) assert.match(String(traced({ [name]: value })), says);
});
