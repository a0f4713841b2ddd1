import type { Value } from "@descent/backend";
import { contract, type Epilogue, type Factor } from "../contract.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { type Activation, withActivation } from "./fused.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./view.ts";
import { discard, padded, type Sliding, spread } from "./window.ts";

/** One convolution: windows per axis of the image, and groups. `input` is the side with the larger images. */
export interface Geometry {
  readonly axes: readonly Sliding[];
  readonly groups: number;
}

const shapeOf = ({ axes }: Geometry, key: "input" | "output" | "kernel"): number[] => axes.map((axis) => axis[key]);
/** Strides of `t` along the image, times a step per axis. */
const steps = (t: Tensor, { axes }: Geometry, key: "stride" | "dilation" | null = null, sign = 1): number[] =>
  axes.map((axis, i) => sign * (t.strides[i + 2] as number) * (key ? axis[key] : 1));
const zeros = (count: number): number[] => new Array<number>(count).fill(0);
/** Strides over (groups, channels of a group) of a channel axis. */
const grouped = (stride: number, channels: number): [number, number] => [stride * channels, stride];

// The index spaces below name: n images, g groups, f filters of a group, c input channels of a group, o places of the result,
// k places of the kernel, p places of the input. Each of the three is the derivative of the other two.

/** The bias as an operand of an epilogue over (n, g, channel, places). */
const biasFactor = (bias: Tensor | null, channels: number, rank: number): Factor[] =>
  bias ? [{ tensor: bias, strides: [0, ...grouped(bias.strides[0] as number, channels), ...zeros(rank)] }] : [];
const biasGradient = (g: Tensor, { axes }: Geometry): Tensor => sum(g, [0, ...axes.map((_, i) => i + 2)]);

const addBias: Epilogue = { key: "+", body: (sum, x) => [sum.add(x[0] as Value)] };
const noBias: Epilogue = { key: "", body: (sum) => [sum] };

/** result[n g f o] = Σ c k: weight[g f c k] · input[n g c, o · stride + k · dilation]. */
export function convolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  geometry: Geometry,
  activation: Activation | null,
): Tensor {
  const { axes, groups } = geometry;
  const filters = (weight.shape[0] as number) / groups;
  const channels = weight.shape[1] as number;
  const rank = axes.length;
  const launch = (epilogue: Epilogue): Tensor[] => {
    const source = padded(x, axes, 0, "conv");
    const [wf, wc] = weight.strides as [number, number];
    const [sn, sc] = source.strides as [number, number];
    const results = contract({
      name: "conv",
      shape: [
        x.shape[0] as number,
        groups,
        filters,
        ...shapeOf(geometry, "output"),
        channels,
        ...shapeOf(geometry, "kernel"),
      ],
      starts: [2, 3, 3 + rank],
      left: { tensor: weight, strides: [0, ...grouped(wf, filters), ...zeros(rank), wc, ...steps(weight, geometry)] },
      right: {
        tensor: source,
        strides: [
          sn,
          sc * channels,
          0,
          ...steps(source, geometry, "stride"),
          sc,
          ...steps(source, geometry, "dilation"),
        ],
      },
      epilogue,
      extras: biasFactor(bias, filters, rank),
    });
    discard(source, x);
    return results.map((t) => reshape(t, [x.shape[0] as number, groups * filters, ...shapeOf(geometry, "output")]));
  };
  const pullBack = (g: Tensor, [toInput, toWeight, toBias]: readonly boolean[]) => [
    toInput ? convolveTransposed(g, weight, null, geometry) : null,
    toWeight ? weightGradient(x, g, geometry) : null,
    toBias ? biasGradient(g, geometry) : null,
  ];
  const saved = [...(weight.tape ? [x] : []), ...(x.tape ? [weight] : [])];
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return withActivation("conv", activation, bias ? addBias : noBias, inputs, launch, pullBack, saved);
}

/** result[n g c p] = Σ f k: weight[g f c, kernel − 1 − k] · spread(g)[n g f, p + k · dilation]. */
export function convolveTransposed(g: Tensor, weight: Tensor, bias: Tensor | null, geometry: Geometry): Tensor {
  const { axes, groups } = geometry;
  const filters = (weight.shape[0] as number) / groups;
  const channels = weight.shape[1] as number;
  const rank = axes.length;
  const source = spread(g, axes, "convTranspose");
  const [wf, wc] = weight.strides as [number, number];
  const [sn, sf] = source.strides as [number, number];
  const kernel = shapeOf(geometry, "kernel");
  const flipped = kernel.reduce(
    (at, extent, i) => at + (extent - 1) * (weight.strides[i + 2] as number),
    weight.offset,
  );
  const [result] = contract({
    name: "convTranspose",
    shape: [g.shape[0] as number, groups, channels, ...shapeOf(geometry, "input"), filters, ...kernel],
    starts: [2, 3, 3 + rank],
    left: {
      tensor: weight,
      offset: flipped,
      strides: [0, wf * filters, wc, ...zeros(rank), wf, ...steps(weight, geometry, null, -1)],
    },
    right: {
      tensor: source,
      strides: [sn, sf * filters, 0, ...steps(source, geometry), sf, ...steps(source, geometry, "dilation")],
    },
    epilogue: bias ? addBias : noBias,
    extras: biasFactor(bias, channels, rank),
  });
  discard(source, g);
  const image = reshape(result as Tensor, [g.shape[0] as number, groups * channels, ...shapeOf(geometry, "input")]);
  const backward = (h: Tensor, [toG, toWeight, toBias]: readonly boolean[]) => [
    toG ? convolve(h, weight, null, geometry, null) : null,
    toWeight ? weightGradient(h, g, geometry) : null,
    toBias ? biasGradient(h, geometry) : null,
  ];
  return record("convTranspose", bias ? [g, weight, bias] : [g, weight], image, backward, [g, weight]);
}

/** result[g f c k] = Σ n o: g[n g f o] · input[n g c, o · stride + k · dilation]. */
function weightGradient(x: Tensor, g: Tensor, geometry: Geometry): Tensor {
  const { axes, groups } = geometry;
  const filters = (g.shape[1] as number) / groups;
  const channels = (x.shape[1] as number) / groups;
  const rank = axes.length;
  const source = padded(x, axes, 0, "convWeight");
  const [gn, gf] = g.strides as [number, number];
  const [sn, sc] = source.strides as [number, number];
  const [result] = contract({
    name: "convWeight",
    shape: [
      groups,
      filters,
      channels,
      ...shapeOf(geometry, "kernel"),
      x.shape[0] as number,
      ...shapeOf(geometry, "output"),
    ],
    starts: [1, 2, 3 + rank],
    left: { tensor: g, strides: [...grouped(gf, filters), ...zeros(1 + rank), gn, ...steps(g, geometry)] },
    right: {
      tensor: source,
      strides: [sc * channels, 0, sc, ...steps(source, geometry, "dilation"), sn, ...steps(source, geometry, "stride")],
    },
  });
  discard(source, x);
  const weight = reshape(result as Tensor, [groups * filters, channels, ...shapeOf(geometry, "kernel")]);
  const backward = (h: Tensor, [toX, toG]: readonly boolean[]) => [
    toX ? convolveTransposed(g, h, null, geometry) : null,
    toG ? convolve(x, h, null, geometry, null) : null,
  ];
  return record("convWeight", [x, g], weight, backward, [x, g]);
}
