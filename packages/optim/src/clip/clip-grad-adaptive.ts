import { checkOptions, DescentError, SparseTensor, type Tensor, type Traced } from "@descent/tensor";
import { Launches } from "../core/launches.ts";
import { readParams } from "../core/param-groups.ts";
import { type Clipped, writable } from "./gradients.ts";

export interface AdaptiveOptions {
  /** Largest norm of a unit's gradient, as a part of the norm of its weights; at least 0. Default: 0.01. */
  readonly clipFactor?: number;
  /** Norms of weights below this count as this, so that zeros can be left; above 0. Default: 1e-3. */
  readonly eps?: number;
}

/** The norm of a row, squared elements summed. */
const spec: Traced = {
  name: "clipGradAdaptive_",
  key: "clipGradAdaptive_",
  dtype: ([g]) => (g as Tensor).dtype,
  body: ([g, p, factor, eps]) => {
    const limit = p!.square().sum().sqrt().maximum(eps!).mul(factor!);
    const norm = g!.square().sum().sqrt();
    // The floor under the norm is the paper's; it matters only for gradients of nothing.
    return [norm.le(limit).select(g!, g!.mul(limit.div(norm.maximum(1e-6))))];
  },
};

/**
 * Adaptive gradient clipping: limits the gradient of each unit to a part of the norm of that unit's weights, in place. A unit is
 * what feeds one output: a row along the first axis of a matrix or kernel, all of a vector. One launch per parameter, nothing is read.
 * Brock et al. 2021, "High-Performance Large-Scale Image Recognition Without Normalization", arXiv:2102.06171, which leaves out the last layer: so
 * should `params`. (PyTorch has no such function.)
 */
export function clipGradAdaptive_(params: Clipped, options: AdaptiveOptions = {}): void {
  const operation = "clipGradAdaptive_";
  checkOptions(operation, options, ["clipFactor", "eps"]);
  const { clipFactor = 0.01, eps = 1e-3 } = options;
  if (!(typeof clipFactor === "number" && clipFactor >= 0 && typeof eps === "number" && eps > 0)) {
    const facts = { clipFactor, eps };
    throw new DescentError("argument", operation, "clipFactor must be at least 0, and eps above 0", facts);
  }
  const launches = new Launches();
  const all = new Set(readParams(operation, { params }).params);
  const sparse = [...all].find(({ grad }) => grad instanceof SparseTensor);
  if (sparse) {
    const hint = "Leave the parameter out, or use clipGradNorm_.";
    throw new DescentError("unsupported", operation, "takes no sparse gradients", { shape: sparse.shape }, hint);
  }
  for (const p of all) {
    if (p.grad === null || p.size === 0) continue;
    const dims = p.ndim < 2 ? [...p.shape.keys()] : [...p.shape.keys()].slice(1);
    launches.add(spec, [writable(p, p.grad), p.detach(), clipFactor, eps], { dims, into: [0] });
  }
  launches.submit();
}
