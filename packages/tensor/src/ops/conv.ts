import { DescentError } from "@descent/backend";
import { checkOptions } from "../options.ts";
import { showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { convolve, convolveTransposed } from "./convolution.ts";
import { type Activation, checkActivation } from "./fused.ts";
import { reshape } from "./view.ts";
import type { Sliding } from "./window.ts";

/** A number for all axes of the image, or one each. */
export type PerAxis = number | readonly number[];

export interface ConvOptions {
  /** Step between windows. Default: 1. */
  readonly stride?: PerAxis;
  /** Zeros on either side; "same" keeps the extents (stride 1 only), "valid" is 0. Default: 0. */
  readonly padding?: PerAxis | "same" | "valid";
  /** Step between the elements of a window. Default: 1. */
  readonly dilation?: PerAxis;
  /** Channels fall into so many groups that do not see each other. Default: 1. */
  readonly groups?: number;
  /** Applied to the result in the same launch. Default: none. */
  readonly activation?: Activation | null;
}

export interface ConvTransposeOptions extends Omit<ConvOptions, "padding" | "activation"> {
  /** Taken off either side of the result. Default: 0. */
  readonly padding?: PerAxis;
  /** Added to the end of the result. Default: 0. */
  readonly outputPadding?: PerAxis;
}

/** Numbers given for all axes or for each: integers of at least `least`. */
export function perAxis(name: string, option: string, value: PerAxis, rank: number, least: number): number[] {
  const list = typeof value === "number" ? new Array<number>(rank).fill(value) : [...value];
  if (list.length === 1 && rank > 1) list.push(...new Array<number>(rank - 1).fill(list[0] as number));
  if (list.length === rank && list.every((x) => Number.isInteger(x) && x >= least)) return list;
  const hint = `It is one integer of at least ${least}, or ${rank} of them.`;
  throw new DescentError("argument", name, `${option} does not fit`, { [option]: list }, hint);
}

/** Adds the axis of images to a single one, and takes it off the result. */
export function batched(name: string, x: Tensor, rank: number, f: (x: Tensor) => Tensor): Tensor {
  if (x.ndim === rank + 2) return f(x);
  if (x.ndim !== rank + 1) {
    const hint = `It is [images, channels, …${rank} ${rank === 1 ? "extent" : "extents"}], or the same without images.`;
    throw new DescentError("shape", name, "input has the wrong number of axes", { input: showShape(x.shape) }, hint);
  }
  const result = f(reshape(x, [1, ...x.shape]));
  return reshape(result, result.shape.slice(1));
}

const optionNames = ["stride", "padding", "dilation", "groups"];

function checkChannels(
  name: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  expected: number,
  results: number,
  groups: number,
): void {
  const facts = { input: showShape(x.shape), weight: showShape(weight.shape), groups };
  const fail = (fault: string, hint = ""): never => {
    throw new DescentError("shape", name, fault, facts, hint);
  };
  if (!Number.isInteger(groups) || groups < 1 || (weight.shape[0] as number) % groups !== 0)
    fail("the channels of weight do not fall into groups", "groups divides the first extent of weight.");
  if (x.shape[1] !== expected)
    fail("the channels of input and weight do not fit", `input must have ${expected} channels.`);
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== results))
    throw new DescentError("shape", name, "bias does not have one element per channel of the result", {
      bias: showShape(bias.shape),
      channels: results,
    });
}

function checkWeight(name: string, weight: Tensor, rank: number): void {
  if (weight.ndim === rank + 2 && weight.shape.slice(2).every((extent) => extent > 0)) return;
  const hint = `It is [channels, channels of a group, …${rank} ${rank === 1 ? "extent" : "extents"}].`;
  throw new DescentError("shape", name, "weight does not fit", { weight: showShape(weight.shape) }, hint);
}

function conv(rank: number) {
  const name = `conv${rank}d`;
  return (input: Tensor, weight: Tensor, bias: Tensor | null = null, options: ConvOptions = {}): Tensor => {
    checkOptions(name, options, [...optionNames, "activation"]);
    const { groups = 1, activation = null, padding = 0 } = options;
    checkActivation(name, activation);
    checkWeight(name, weight, rank);
    const stride = perAxis(name, "stride", options.stride ?? 1, rank, 1);
    const dilation = perAxis(name, "dilation", options.dilation ?? 1, rank, 1);
    const same = padding === "same";
    if (same && stride.some((step) => step !== 1))
      throw new DescentError(
        "argument",
        name,
        'padding "same" needs stride 1',
        { stride },
        "Give the padding as numbers.",
      );
    const sides =
      typeof padding === "string" ? new Array<number>(rank).fill(0) : perAxis(name, "padding", padding, rank, 0);
    return batched(name, input, rank, (x) => {
      checkChannels(name, x, weight, bias, (weight.shape[1] as number) * groups, weight.shape[0] as number, groups);
      const axes = sides.map((side, i): Sliding => {
        const [extent, kernel] = [x.shape[i + 2] as number, weight.shape[i + 2] as number];
        const [step, spacing] = [stride[i] as number, dilation[i] as number];
        const reach = spacing * (kernel - 1);
        const whole = extent + (same ? reach : 2 * side);
        if (whole <= reach) {
          const facts = {
            input: showShape(input.shape),
            weight: showShape(weight.shape),
            "padded extent": whole,
            window: reach + 1,
          };
          throw new DescentError("shape", name, "the window is larger than the padded input", facts);
        }
        const output = Math.floor((whole - reach - 1) / step) + 1;
        return { input: extent, kernel, stride: step, dilation: spacing, before: same ? reach >> 1 : side, output };
      });
      return convolve(x, weight, bias, { axes, groups }, activation);
    });
  };
}

/**
 * Convolution (cross-correlation, as everywhere in deep learning) of `[n, c, l]` with weight `[f, c / groups, k]`, plus bias `[f]`:
 * one launch over overlapping windows, after one padded copy where there is padding (torch.nn.functional.conv1d).
 */
export const conv1d = conv(1);
/** As `conv1d`, over `[n, c, h, w]` with weight `[f, c / groups, kh, kw]` (torch.nn.functional.conv2d). */
export const conv2d = conv(2);
/** As `conv1d`, over `[n, c, d, h, w]` with weight `[f, c / groups, kd, kh, kw]` (torch.nn.functional.conv3d). */
export const conv3d = conv(3);

function convTranspose(rank: number) {
  const name = `convTranspose${rank}d`;
  return (input: Tensor, weight: Tensor, bias: Tensor | null = null, options: ConvTransposeOptions = {}): Tensor => {
    checkOptions(name, options, [...optionNames, "outputPadding"]);
    const { groups = 1 } = options;
    checkWeight(name, weight, rank);
    const stride = perAxis(name, "stride", options.stride ?? 1, rank, 1);
    const dilation = perAxis(name, "dilation", options.dilation ?? 1, rank, 1);
    const sides = perAxis(name, "padding", options.padding ?? 0, rank, 0);
    const extra = perAxis(name, "outputPadding", options.outputPadding ?? 0, rank, 0);
    return batched(name, input, rank, (x) => {
      const results = (weight.shape[1] as number) * groups;
      checkChannels(name, x, weight, bias, weight.shape[0] as number, results, groups);
      const axes = sides.map((before, i): Sliding => {
        const [output, kernel] = [x.shape[i + 2] as number, weight.shape[i + 2] as number];
        const [step, spacing, more] = [stride[i] as number, dilation[i] as number, extra[i] as number];
        const extent = (output - 1) * step - 2 * before + spacing * (kernel - 1) + 1 + more;
        if (more < Math.max(step, spacing) && extent > 0)
          return { input: extent, kernel, stride: step, dilation: spacing, before, output };
        const facts = { input: showShape(input.shape), outputPadding: extra, "extent of the result": extent };
        const hint = "outputPadding is less than stride or dilation.";
        throw new DescentError("shape", name, "padding leaves no result", facts, hint);
      });
      return convolveTransposed(x, weight, bias, { axes, groups });
    });
  };
}

/** The transpose of `conv1d`, its gradient by the input: `[n, f, l]` with weight `[f, c / groups, k]` (torch.nn.functional.conv_transpose1d). */
export const convTranspose1d = convTranspose(1);
/** As `convTranspose1d`, over images (torch.nn.functional.conv_transpose2d). */
export const convTranspose2d = convTranspose(2);
/** As `convTranspose1d`, over volumes (torch.nn.functional.conv_transpose3d). */
export const convTranspose3d = convTranspose(3);
