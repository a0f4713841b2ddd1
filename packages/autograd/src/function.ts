import { DescentError, isFloat, type Tensor } from "@descent/tensor";
import { addNode, edgeOf } from "./graph.ts";
import { isGradEnabled, withRecording } from "./recording.ts";

/** What `forward` leaves for `backward`. */
export class FunctionContext {
  /** Whether each argument needs a gradient. */
  readonly needsInputGrad: readonly boolean[];
  #saved: readonly Tensor[] = [];

  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  /** Keeps tensors for `backward`; changing one in place before then is detected. */
  saveForBackward(...tensors: readonly Tensor[]): void {
    this.#saved = tensors;
  }
  get savedTensors(): readonly Tensor[] {
    return this.#saved;
  }
}

/** A differentiable operation with a derivative of its own (torch.autograd.Function). */
export interface FunctionDefinition<Args extends readonly unknown[]> {
  readonly name: string;
  /** Computes the results; nothing in here is recorded. */
  readonly forward: (context: FunctionContext, ...args: Args) => Tensor | readonly Tensor[];
  /** From the gradients of the results, the gradient of every argument (null for one that has none). Made of differentiable operations, it can be differentiated again. */
  readonly backward: (
    context: FunctionContext,
    ...grads: readonly (Tensor | null)[]
  ) => Tensor | null | readonly (Tensor | null)[];
}

const isTensor = (x: unknown): x is Tensor => typeof x === "object" && x !== null && "storage" in x;

/**
 * Makes a differentiable function out of a forward and a backward.
 *
 * @example
 * const clippedExp = customFunction({
 *   name: "clippedExp",
 *   forward(context, x: Tensor) {
 *     const y = x.exp();
 *     context.saveForBackward(y);
 *     return y;
 *   },
 *   backward: (context, g) => g && g.mul(context.savedTensors[0]!).clamp(-1, 1),
 * });
 */
export function customFunction<Args extends readonly unknown[]>(
  definition: FunctionDefinition<Args>,
): (...args: Args) => Tensor {
  const many = customFunctions(definition);
  return (...args) => many(...args)[0] as Tensor;
}

/** As `customFunction`, for several results. */
export function customFunctions<Args extends readonly unknown[]>({
  name,
  forward,
  backward,
}: FunctionDefinition<Args>): (...args: Args) => Tensor[] {
  return (...args) => {
    const edges = args.map((arg) => (isTensor(arg) ? edgeOf(arg) : null));
    const context = new FunctionContext(edges.map((edge) => edge !== null));
    const given = withRecording(false, () => forward(context, ...args));
    const listed = isTensor(given) ? [given] : given;
    // A result that is an argument, or already part of a graph, becomes a tensor of its own.
    const results = listed.map((result) => (args.includes(result) || result.tape ? result.detach() : result));
    if (!isGradEnabled() || edges.every((edge) => edge === null)) return results;
    const differentiable = results.filter((result) => isFloat(result.dtype));
    addNode(
      name,
      edges,
      differentiable,
      (grads) => {
        const answer = backward(context, ...grads);
        const found = answer === null || isTensor(answer) ? [answer] : answer;
        checkGradients(name, args, found);
        return found;
      },
      context.savedTensors,
    );
    return results;
  };
}

function checkGradients(name: string, args: readonly unknown[], found: readonly (Tensor | null)[]): void {
  if (found.length > args.length) {
    const facts = { arguments: args.length, gradients: found.length };
    throw new DescentError("gradient", name, "backward gave more gradients than there are arguments", facts);
  }
  found.forEach((g, i) => {
    const arg = args[i];
    if (g && isTensor(arg) && g.shape.join() !== arg.shape.join()) {
      const facts = { argument: i, shape: arg.shape, gradient: g.shape };
      throw new DescentError("shape", name, "backward gave a gradient of another shape than the argument", facts);
    }
  });
}
