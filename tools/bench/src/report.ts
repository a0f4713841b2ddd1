import type { Timing } from "./measure.ts";

/** What a benchmark found. */
export interface Finding {
  readonly family: string;
  readonly name: string;
  readonly timing: Timing;
  /** Work per second in `unit`, at the median and at best; absent where time itself is the figure. */
  readonly rate?: { readonly median: number; readonly best: number; readonly unit: string };
}

/** A time with a unit that suits it. */
export function showTime(seconds: number): string {
  if (seconds < 1e-6) return `${(seconds * 1e9).toFixed(0)} ns`;
  if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(2)} µs`;
  return `${(seconds * 1e3).toFixed(2)} ms`;
}

/** One line of the table. */
export function line({ name, timing, rate }: Finding): string {
  const times = `${showTime(timing.median).padStart(11)}${showTime(timing.best).padStart(11)}`;
  const rates = rate ? `${rate.median.toFixed(2).padStart(10)}${rate.best.toFixed(2).padStart(8)} ${rate.unit}` : "";
  return `  ${name.padEnd(34)}${times}${rates}`;
}

export const heading = (family: string): string =>
  `\n${family.padEnd(36)}${"median".padStart(11)}${"best".padStart(11)}${"median".padStart(10)}${"best".padStart(8)}`;
