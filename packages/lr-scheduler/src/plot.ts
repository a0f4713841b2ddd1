import type { LRScheduler } from "./core/lr-scheduler.ts";
import { type PreviewOptions, preview } from "./preview.ts";

export interface PlotOptions extends PreviewOptions {
  /** Which parameter group. Default 0. */
  group?: number;
  /** Characters across, without the labels. Default 72. */
  width?: number;
  /** Lines from the lowest lr to the highest. Default 12. */
  height?: number;
}

/**
 * The lr now and after each of the next `steps` steps as text, for a terminal. Nothing is touched.
 *
 * @example console.log(plot(new OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 100 }), 99));
 */
export function plot(scheduler: LRScheduler, steps: number, options: PlotOptions = {}): string {
  const { group = 0, width = 72, height = 12, ...rest } = options;
  const lrs = [scheduler.getLastLr(), ...preview(scheduler, steps, rest)].map((all) => all[group] ?? Number.NaN);
  const [low, high] = [Math.min(...lrs), Math.max(...lrs)];
  // With nothing to tell apart, the line runs along the bottom.
  const row = (lr: number) => (high === low ? 0 : Math.round(((lr - low) / (high - low)) * (height - 1)));
  const columns = Array.from({ length: width }, (_, x) => row(lrs[Math.round((x / (width - 1)) * steps)]!));
  const label = (y: number) => (y === height - 1 ? high : y === 0 ? low : undefined)?.toPrecision(3) ?? "";
  const lines = Array.from({ length: height }, (_, line) => {
    const y = height - 1 - line;
    const dots = columns.map((at, x) => (spans(columns[x - 1] ?? at, at, y) ? "•" : " ")).join("");
    return `${label(y).padStart(10)} ┤${dots}`.trimEnd();
  });
  return [
    ...lines,
    `${" ".repeat(11)}└${"─".repeat(width)}`,
    `${" ".repeat(12)}0${String(steps).padStart(width - 1)}`,
  ].join("\n");
}

/** Whether a curve that goes from row `from` to row `to` passes row `y`: steep parts have no gaps. */
const spans = (from: number, to: number, y: number): boolean =>
  y === to || (y > Math.min(from, to) && y < Math.max(from, to));
