import { DescentError } from "@descent/backend";
import { checkOptions } from "../options.ts";
import { showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { fromHostLike } from "./fresh.ts";
import { indexSelect } from "./gather.ts";
import { padConstant } from "./select.ts";

export interface PadOptions {
  /** Where new elements come from: a constant, the mirrored tensor (its edge not repeated), its edge, or its other end. Default: "constant". */
  readonly mode?: "constant" | "reflect" | "replicate" | "circular";
  /** The constant. Default: 0. */
  readonly value?: number;
}

/** Which element of an axis of `extent` stands at place `at`, outside too; and the most that may be added on a side. */
const sources = {
  reflect: { at: (at: number, extent: number) => (at < 0 ? -at : at < extent ? at : 2 * (extent - 1) - at), most: (extent: number) => extent - 1 }, // biome-ignore format: one mode a line
  replicate: { at: (at: number, extent: number) => Math.min(Math.max(at, 0), extent - 1), most: (extent: number) => (extent > 0 ? Number.POSITIVE_INFINITY : 0) }, // biome-ignore format: one mode a line
  circular: { at: (at: number, extent: number) => (at + extent) % extent, most: (extent: number) => extent },
};

/**
 * Grows axes: `widths` are before and after the last axis, then the one before it, and so on (torch.nn.functional.pad). Negative
 * widths cut off.
 */
export function pad(x: Tensor, widths: readonly number[], options: PadOptions = {}): Tensor {
  checkOptions("pad", options, ["mode", "value"]);
  const { mode = "constant", value = 0 } = options;
  checkWidths(x, widths);
  if (mode === "constant") return padConstant(x, widths, value);
  const source = sources[mode];
  if (!source) {
    const hint = 'Use "constant", "reflect", "replicate" or "circular".';
    throw new DescentError("option", "pad", "unknown mode", { mode }, hint);
  }
  return x.shape.reduce((padded, extent, axis) => {
    const at = 2 * (x.ndim - 1 - axis);
    const [before, after] = [widths[at] ?? 0, widths[at + 1] ?? 0];
    if (before === 0 && after === 0) return padded;
    if (Math.max(before, after) > source.most(extent) || before + extent + after < 0) {
      const facts = { mode, extent, before, after };
      throw new DescentError("shape", "pad", "the axis is too short", facts, "replicate takes any width.");
    }
    const places = Int32Array.from({ length: before + extent + after }, (_, i) => source.at(i - before, extent));
    return indexSelect(padded, axis, fromHostLike(x, places, [places.length], "int64", "pad"));
  }, x);
}

function checkWidths(x: Tensor, widths: readonly number[]): void {
  if (widths.length % 2 === 0 && widths.length <= 2 * x.ndim && widths.every(Number.isInteger)) return;
  const facts = { widths: showShape(widths), shape: showShape(x.shape) };
  const fault = "the widths are no pairs, one for each of the last axes";
  throw new DescentError("shape", "pad", fault, facts, "Two integers pad the last axis.");
}
