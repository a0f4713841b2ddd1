import {
  checkOptions,
  currentRuntime,
  getRngState,
  isFloat,
  type RngState,
  scopeOn,
  setRngState,
  Tensor,
} from "@descent/tensor";
import { reachable, run } from "./engine.ts";
import { addNode, type Edge, edgeOf, nextOrder } from "./graph.ts";
import { isGradEnabled, withRecording } from "./recording.ts";

export interface CheckpointOptions {
  /** Draw the same random numbers again when computing again, so that dropout drops the same elements. Default: true. */
  readonly preserveRngState?: boolean;
}

type Results = Tensor | readonly Tensor[];
const listed = (results: Results): readonly Tensor[] => (results instanceof Tensor ? [results] : results);
const memoryOf = (args: readonly unknown[]) =>
  (args.find((arg) => arg instanceof Tensor)?.runtime ?? currentRuntime("checkpoint")).memory;

/** Where gradients leave the operations from number `since` on, that `results` come from. */
function edgesInto(results: readonly Tensor[], since: number): Edge[] {
  const ends = results.flatMap((result) => edgeOf(result) ?? []);
  const inside = (edge: Edge) => edge.producer !== null && edge.producer.order >= since;
  const nodes = reachable(ends).filter(({ order }) => order >= since);
  const edges = [...ends, ...nodes.flatMap((node) => node.edges)];
  return [...new Set(edges.filter((edge): edge is Edge => edge !== null && !inside(edge)))];
}

/**
 * Turns `fn` into a function that keeps its arguments alone for the backward pass, and computes all else once more when that comes:
 * less memory, more time (torch.utils.checkpoint). Gradients reach the arguments and every variable that `fn` uses, to any order.
 * `fn` has to do the same both times; its random numbers are the same.
 *
 * @example
 * const y = checkpoint((x: Tensor) => block.forward(x))(x);
 */
export function checkpoint<Args extends readonly unknown[], R extends Results>(
  fn: (...args: Args) => R,
  options: CheckpointOptions = {},
): (...args: Args) => R {
  checkOptions("checkpoint", options, ["preserveRngState"]);
  const { preserveRngState = true } = options;
  return (...args) => {
    if (!isGradEnabled()) return fn(...args);
    const rng = preserveRngState ? getRngState() : null;
    const since = nextOrder();
    const given = scopeOn(memoryOf(args), "checkpoint", () => fn(...args));
    const edges = edgesInto(listed(given), since);
    // Tensors of their own: they do not lead to the operations inside, which nothing keeps from here on.
    const results = listed(given).map((result) => result.detach());
    if (edges.length > 0) {
      const saved = args.filter((arg): arg is Tensor => arg instanceof Tensor);
      const differentiable = results.filter(({ dtype }) => isFloat(dtype));
      addNode("checkpoint", edges, differentiable, (grads) => again(fn, args, rng, edges, grads), saved);
    }
    return (given instanceof Tensor ? results[0] : results) as R;
  };
}

/** Computes `fn` again, recorded, and goes back through it: the gradients that leave it by `edges`. */
function again<Args extends readonly unknown[]>(
  fn: (...args: Args) => Results,
  args: Args,
  rng: RngState | null,
  edges: readonly Edge[],
  grads: readonly (Tensor | null)[],
): (Tensor | null)[] {
  const createGraph = isGradEnabled();
  const compute = (): (Tensor | null)[] => {
    const since = nextOrder();
    const now = getRngState();
    if (rng) setRngState(rng);
    try {
      const results = withRecording(true, () => listed(fn(...args)));
      const seeds = results
        .filter(({ dtype }) => isFloat(dtype))
        .flatMap((result, i) => {
          const [edge, grad] = [edgeOf(result), grads[i] ?? null];
          return edge && grad ? [{ edge, grad }] : [];
        });
      return run(seeds, edges, { createGraph }, since);
    } finally {
      if (rng) setRngState(now);
    }
  };
  return createGraph ? compute() : scopeOn(memoryOf(args), "checkpoint", compute);
}
