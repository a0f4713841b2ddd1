import { DescentError, Tensor } from "@descent/tensor";
import { run, seedOf } from "./engine.ts";
import { type Edge, edgeOf } from "./graph.ts";
import { withRecording } from "./recording.ts";
import { variable } from "./variable.ts";

export interface GradOptions {
  /** Gradients of the outputs; default 1 each, for outputs of one element. */
  readonly gradOutputs?: readonly (Tensor | null)[];
  /** Keep the graph for another pass. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Record the pass itself, for derivatives of derivatives. Default: false. */
  readonly createGraph?: boolean;
  /** Give null for an input the outputs do not depend on, instead of throwing. Default: false. */
  readonly allowUnused?: boolean;
}

const edgesOf = (tensors: readonly Tensor[], fault: string, what: string, hint: string): Edge[] => {
  if (!Array.isArray(tensors) || !tensors.every((tensor) => tensor instanceof Tensor)) {
    const hint = "grad(outputs, inputs) takes a tensor or a list of them for each.";
    throw new DescentError("argument", "grad", `an ${what} is no tensor`, {}, hint);
  }
  return tensors.map((tensor, i) => {
    const edge = edgeOf(tensor);
    if (!edge) throw new DescentError("gradient", "grad", fault, { [what]: i, shape: tensor.shape }, hint);
    return edge;
  });
};

/**
 * Gradients of `outputs` with respect to `inputs`, leaves or not; nothing is accumulated (torch.autograd.grad).
 * Throws code "gradient" for an input the outputs do not depend on, unless `allowUnused`.
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions & { readonly allowUnused: true },
): (Tensor | null)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options?: GradOptions,
): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const wanted = inputs instanceof Tensor ? [inputs] : inputs;
  const targets = edgesOf(wanted, "an input needs no gradient", "input", "Make it with variable(…).");
  const edges = edgesOf(
    roots,
    "an output depends on no variable",
    "output",
    "Compute it outside noGrad, from a variable.",
  );
  const seeds = edges.map((edge, i) => ({ edge, grad: seedOf(roots[i] as Tensor, options.gradOutputs?.[i] ?? null) }));
  const found = run(seeds, targets, options);
  const unused = found.indexOf(null);
  if (unused >= 0 && !options.allowUnused) {
    const hint = "Pass { allowUnused: true } to get null for it.";
    throw new DescentError("gradient", "grad", "the outputs do not depend on an input", { input: unused }, hint);
  }
  return found;
}

/**
 * Turns `fn`, which gives a tensor of one element, into a function that gives its value and the gradient for every argument.
 *
 * @example
 * const [value, [dx]] = valueAndGrad((x) => x.mul(x).sum())(tensor([1, 2, 3])); // dx is [2, 4, 6]
 */
export function valueAndGrad<Args extends readonly Tensor[]>(
  fn: (...args: Args) => Tensor,
): (...args: Args) => [Tensor, Tensor[]] {
  return (...args) =>
    withRecording(true, () => {
      const leaves = args.map((arg) => (arg.requiresGrad ? arg : variable(arg)));
      const value = fn(...(leaves as unknown as Args));
      const grads = grad(value, leaves, { allowUnused: true });
      return [value.detach(), grads.map((g, i) => g ?? (args[i] as Tensor).mul(0))];
    });
}
