/** Each process as a process: does it run, has it time, has it memory? */

import type { Board } from "./board.ts";
import { graph, table } from "./panels.ts";
import { CHOSEN_OF_JOB as CHOSEN, quantile, rate } from "./query.ts";

const EACH = "{{job}} {{instance}}";

export const runtime: Board = {
  id: "runtime",
  title: "Runtime",
  description: "Each process as a process: does it run, has it time, has it memory?",
  jobs: "all",
  rows: [
    {
      title: "Do they run?",
      panels: [
        graph({
          title: "Answers Prometheus",
          answers: "1 while a process that discovery knows answers Prometheus.",
          bad: "0: it hangs, or can't be reached from here. Gone: discovery has dropped it.",
          queries: { expr: `up${CHOSEN}`, legend: EACH },
          unit: "none",
          max: 1,
          limits: { redBelow: 1 },
          runbook: "InstanceDown",
        }),
        graph({
          title: "Runs for",
          answers: "Time since each process started.",
          bad: "Saw teeth: it dies and is started again.",
          queries: { expr: `notifyx_process_uptime_seconds${CHOSEN}`, legend: EACH },
          unit: "s",
          runbook: "ProcessRestarting",
        }),
        table({
          title: "Versions",
          answers: "What runs where.",
          bad: "Two versions of one service for longer than a rolling restart takes.",
          queries: { expr: `sum by (job, version, deno) (notifyx_build_info${CHOSEN})`, legend: "{{job}}" },
          columns: { job: "service", version: "version", deno: "Deno", Value: "processes" },
          unit: "none",
        }),
      ],
    },
    {
      title: "Have they time?",
      panels: [
        graph({
          title: "Event loop, p99",
          answers: "How late 99 of 100 timers come at most: everything in the process waits as long.",
          bad: "More than 0.25 s for minutes: too much for one process. Another node helps, but for one that is stuck.",
          queries: {
            expr: quantile(0.99, "notifyx_event_loop_lag_seconds", ["job", "instance"], CHOSEN),
            legend: EACH,
          },
          unit: "s",
          limits: { red: 0.25 },
          runbook: "EventLoopLag",
        }),
        graph({
          title: "Processor",
          answers: "Cores that each process uses.",
          bad:
            "One and more for long: it is at its limit. Avatars and password hashes may use more, on threads of their own.",
          queries: {
            expr: `rate(notifyx_process_cpu_seconds_total${CHOSEN}[$__rate_interval])`,
            legend: EACH,
          },
          unit: "percentunit",
          runbook: "EventLoopLag",
        }),
        graph({
          title: "Requests in flight",
          answers: "Requests that have arrived and aren't answered yet.",
          bad: "More and more at one process.",
          queries: { expr: `notifyx_http_requests_in_flight${CHOSEN}`, legend: EACH },
          unit: "short",
        }),
      ],
    },
    {
      title: "Have they memory?",
      panels: [
        graph({
          title: "Resident memory",
          answers: "What each process has of the machine's memory.",
          bad: "A climb that never ends.",
          queries: { expr: `notifyx_process_resident_memory_bytes${CHOSEN}`, legend: EACH },
          unit: "bytes",
          limits: { red: 1024 ** 3 },
          runbook: "MemoryHigh",
        }),
        graph({
          title: "Heap",
          answers: "What is used of V8's heap, garbage that isn't collected yet included.",
          bad: "Its lows climb: something is kept that should not be.",
          queries: { expr: `notifyx_process_heap_bytes${CHOSEN}`, legend: EACH },
          unit: "bytes",
          runbook: "MemoryHigh",
        }),
      ],
    },
    {
      title: "And Prometheus itself, and traces?",
      panels: [
        graph({
          title: "Time of a scrape",
          answers: "How long a process takes to answer Prometheus.",
          bad: "A second: its database is slow, or its event loop.",
          queries: { expr: `scrape_duration_seconds${CHOSEN}`, legend: EACH },
          unit: "s",
          limits: { red: 1 },
        }),
        graph({
          title: "Series",
          answers: "How many numbers each process gives.",
          bad: "A climb with the number of people or topics: a label that is not bounded. That is a fault of ours.",
          queries: { expr: `scrape_samples_scraped${CHOSEN}`, legend: EACH },
          unit: "short",
        }),
        graph({
          title: "Spans of traces",
          answers: "Spans that the collector of traces took, and those that were lost on the way there.",
          bad: "Lost ones: the collector is away or too slow. Nothing but traces is missing.",
          queries: {
            expr: rate("notifyx_trace_spans_total", ["job", "result"], CHOSEN),
            legend: "{{job}} {{result}}",
          },
          unit: "cps",
          whenEmpty: "no traces are kept (OTEL_EXPORTER_OTLP_ENDPOINT)",
        }),
      ],
    },
  ],
};
