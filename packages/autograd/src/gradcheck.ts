import { DescentError, Tensor, tensor } from "@descent/tensor";
import { grad } from "./grad.ts";
import { enableGrad, noGrad, variable } from "./variable.ts";

/** A function to check: tensors in, one tensor or several out. */
export type Checked = (...inputs: readonly Tensor[]) => Tensor | readonly Tensor[];

export interface GradcheckOptions {
  /** Half the distance of the two points of a central difference. Default: 1e-6. */
  readonly eps?: number;
  /** Allowed difference: atol + rtol · |numerical|. Defaults: 1e-5 and 1e-3, as torch.autograd.gradcheck. */
  readonly atol?: number;
  readonly rtol?: number;
}

const listed = (outputs: Tensor | readonly Tensor[]): readonly Tensor[] =>
  outputs instanceof Tensor ? [outputs] : outputs;

/**
 * Compares the gradients of `fn` at `inputs` with central differences, every output element against every input element, and
 * throws code "gradient" naming the first pair that differs. Inputs are float64 (torch.autograd.gradcheck); those of integer
 * type are passed through.
 */
export async function gradcheck(fn: Checked, inputs: readonly Tensor[], options: GradcheckOptions = {}): Promise<void> {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  const leaves = inputs.map((input) => (input.dtype === "float64" ? variable(input.copy()) : input));
  const wanted = leaves.filter((leaf) => leaf.requiresGrad);
  if (wanted.length === 0) {
    const hint = 'Make them with { dtype: "float64" }: single precision is too coarse for differences.';
    throw new DescentError(
      "dtype",
      "gradcheck",
      "takes at least one float64 input",
      { inputs: inputs.map(({ dtype }) => dtype) },
      hint,
    );
  }
  const outputs = listed(fn(...leaves));
  for (const [o, output] of outputs.entries()) {
    if (!output.requiresGrad) continue;
    const analytical = await jacobian(output, wanted);
    for (const [w, leaf] of wanted.entries()) {
      const at = leaves.indexOf(leaf);
      for (let element = 0; element < leaf.size; element++) {
        const numerical = await difference(fn, leaves, at, element, eps, o);
        for (let row = 0; row < output.size; row++) {
          const [a, n] = [analytical[w]?.[row]?.[element] as number, numerical[row] as number];
          if (Math.abs(a - n) <= atol + rtol * Math.abs(n) || (Number.isNaN(a) && Number.isNaN(n))) continue;
          const facts = {
            output: o,
            "output element": row,
            input: at,
            "input element": element,
            analytical: a,
            numerical: n,
          };
          throw new DescentError("gradient", "gradcheck", "the gradient differs from the central difference", facts);
        }
      }
    }
  }
}

/** Gradients of every element of `output`, per input: `[input][row][element]`. */
async function jacobian(output: Tensor, inputs: readonly Tensor[]): Promise<ArrayLike<number>[][]> {
  const result: ArrayLike<number>[][] = inputs.map(() => []);
  for (let row = 0; row < output.size; row++) {
    const basis = new Float64Array(output.size);
    basis[row] = 1;
    const seed = tensor(basis, { backend: output.backend }).reshape(output.shape);
    const grads = grad(output, inputs, { gradOutputs: [seed], retainGraph: true, allowUnused: true });
    for (const [i, g] of grads.entries()) result[i]?.push(g ? await g.data() : new Float64Array(inputs[i]?.size ?? 0));
  }
  return result;
}

/** (fn(x + eps) − fn(x − eps)) / 2 eps, for one element of input `at`. */
async function difference(
  fn: Checked,
  leaves: readonly Tensor[],
  at: number,
  element: number,
  eps: number,
  output: number,
): Promise<Float64Array> {
  const leaf = leaves[at] as Tensor;
  const base = Float64Array.from(await leaf.data());
  const evaluate = async (shift: number): Promise<ArrayLike<number>> => {
    const moved = Float64Array.from(base);
    moved[element] = (base[element] as number) + shift;
    const changed = tensor(moved, { backend: leaf.backend }).reshape(leaf.shape);
    return (listed(noGrad(() => fn(...leaves.map((x, i) => (i === at ? changed : x)))))[output] as Tensor).data();
  };
  const [above, below] = [await evaluate(eps), await evaluate(-eps)];
  return Float64Array.from(above, (value, i) => (value - (below[i] as number)) / (2 * eps));
}

/** `gradcheck` of the gradients of `fn`: checks second derivatives (torch.autograd.gradgradcheck). */
export async function gradgradcheck(
  fn: Checked,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<void> {
  const outputs = listed(noGrad(() => fn(...inputs))).filter(({ dtype }) => dtype === "float64");
  // Fixed, irregular weights: a gradient of all ones would hide mistakes that cancel.
  const weights = outputs.map((output, o) =>
    tensor(
      Float64Array.from({ length: output.size }, (_, i) => Math.sin(1 + i + 10 * o)),
      { backend: output.backend },
    ).reshape(output.shape),
  );
  const count = inputs.length;
  const first: Checked = (...args) => {
    const x = args.slice(0, count);
    const results = listed(fn(...x)).filter(({ requiresGrad }) => requiresGrad);
    const leaves = x.filter(({ requiresGrad }) => requiresGrad);
    const grads = grad(results, leaves, { gradOutputs: args.slice(count), createGraph: true, allowUnused: true });
    return grads.filter((g): g is Tensor => g !== null && g.requiresGrad);
  };
  const recorded: Checked = (...args) =>
    first(...args.map((arg) => (arg.dtype === "float64" && !arg.requiresGrad ? variable(arg) : arg)));
  await gradcheck((...args) => enableGrad(() => recorded(...args)), [...inputs, ...weights], options);
}
