/** Figures of a run: medians, percentiles, tables. */

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which a `share` (0 to 1) of `values` lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Prints rows under their heads, numbers to the right. */
export function printTable(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const texts = [heads, ...rows].map((row) => row.map(String));
  const widths = heads.map((_, column) => Math.max(...texts.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join("  ");
  for (const row of texts) console.log(`  ${line(row)}`);
}

/** Runs `work` by `senders` loops for `seconds`, after `warmUpSeconds` that aren't counted. */
export async function load(
  senders: number,
  warmUpSeconds: number,
  seconds: number,
  work: (sender: number) => Promise<void>,
): Promise<{ perSecond: number; p50Ms: number; p99Ms: number }> {
  const from = performance.now() + warmUpSeconds * 1000;
  const to = from + seconds * 1000;
  const times: number[] = [];
  await Promise.all(Array.from({ length: senders }, async (_, sender) => {
    while (performance.now() < to) {
      const began = performance.now();
      await work(sender);
      const ended = performance.now();
      if (began >= from && ended <= to) times.push(ended - began);
    }
  }));
  return { perSecond: times.length / seconds, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
}

export type Figures = Awaited<ReturnType<typeof load>>;
