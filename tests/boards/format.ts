/** Numbers for people, by Grafana's units. */

const SUFFIXES: Readonly<Record<string, string>> = { cps: "/s", ops: "/s", reqps: "/s" };
const DURATIONS: readonly (readonly [number, string])[] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
];

export function format(value: number, unit: string): string {
  if (unit === "s") return duration(value);
  if (unit === "percentunit") return `${trimmed(value * 100)} %`;
  if (unit === "bytes" || unit === "Bps") {
    return `${scaled(value, 1024, ["", "Ki", "Mi", "Gi", "Ti"])}B${unit === "Bps" ? "/s" : ""}`;
  }
  const suffix = SUFFIXES[unit];
  const number = scaled(value, 1000, ["", "k", "M", "G"]).trim();
  return suffix === undefined ? number : `${number} ${suffix}`;
}

function duration(seconds: number): string {
  if (seconds === 0) return "0 s";
  const [size, name] = DURATIONS.find(([size]) => Math.abs(seconds) >= size) ?? DURATIONS.at(-1)!;
  return `${trimmed(seconds / size)} ${name}`;
}

function scaled(value: number, base: number, prefixes: readonly string[]): string {
  let nth = 0;
  while (Math.abs(value) >= base && nth < prefixes.length - 1) {
    value /= base;
    nth++;
  }
  return `${trimmed(value)} ${prefixes[nth]}`;
}

/** Three digits that count. */
function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}
