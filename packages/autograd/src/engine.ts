import { type BackwardOptions, DescentError, SparseTensor, sumOfGradients, Tensor } from "@descent/tensor";
import type { Edge, GraphNode } from "./graph.ts";
import { withRecording } from "./recording.ts";

/** A gradient to start from, and the tensor it belongs to. */
export interface Seed {
  readonly edge: Edge;
  readonly grad: Tensor;
}

/** The gradient a pass starts from: 1 for a single element, else the caller's. */
export function seedOf(root: Tensor, gradient: Tensor | null): Tensor {
  if (gradient === null) {
    if (root.size === 1) return root.onesLike();
    const hint = "Reduce it first, for example with mean(), or pass backward(gradient).";
    throw new DescentError("gradient", "backward", "the tensor has more than one element", { shape: root.shape }, hint);
  }
  if (!(gradient instanceof Tensor)) {
    const facts = { got: Array.isArray(gradient) ? "an array" : typeof gradient };
    throw new DescentError("argument", "backward", "the gradient is no tensor", facts, "Make one with tensor(…).");
  }
  if (gradient.shape.join() !== root.shape.join()) {
    const facts = { gradient: gradient.shape, tensor: root.shape };
    throw new DescentError("shape", "backward", "the gradient has another shape than the tensor", facts);
  }
  return gradient;
}

/** The operations that `seeds` depend on, latest first. */
export function reachable(seeds: readonly Edge[]): GraphNode[] {
  const found = new Set<GraphNode>();
  const stack = seeds.flatMap(({ producer }) => (producer ? [producer] : []));
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const edge of node.edges) if (edge?.producer) stack.push(edge.producer);
  }
  return [...found].sort((a, b) => b.order - a.order);
}

/** Of `nodes` (latest first), those on a way to one of `targets`. */
function leadingTo(targets: ReadonlySet<Edge>, nodes: readonly GraphNode[]): GraphNode[] {
  const leading = new Set<GraphNode>();
  for (const node of [...nodes].reverse()) {
    if (node.edges.some((edge) => edge && (targets.has(edge) || (edge.producer && leading.has(edge.producer)))))
      leading.add(node);
  }
  return nodes.filter((node) => leading.has(node));
}

/** Gradients on their way, by the tensor they belong to. */
class Pending {
  readonly #grads = new Map<Edge, Tensor>();

  add(edge: Edge, grad: Tensor): void {
    const sofar = this.#grads.get(edge);
    this.#grads.set(edge, sofar ? sumOfGradients(sofar, grad) : grad);
  }

  /** The complete gradient of `edge`, after its hooks (unless they are not due yet); null when none arrived. */
  take(edge: Edge, hooked = true): Tensor | null {
    let grad = this.#grads.get(edge) ?? null;
    this.#grads.delete(edge);
    if (grad && hooked) for (const hook of edge.hooks) grad = hook(grad) ?? grad;
    return grad;
  }

  get edges(): Edge[] {
    return [...this.#grads.keys()];
  }
}

/**
 * One backward pass from `seeds`. With `targets` their gradients are returned and nothing is accumulated; without, the `.grad` of
 * every leaf grows. The pass ends at operations before number `since`: another one takes it from there, and calls the hooks.
 */
export function run(
  seeds: readonly Seed[],
  targets: readonly Edge[] | null,
  options: BackwardOptions,
  since = 0,
): (Tensor | null)[] {
  const { createGraph = false, retainGraph = createGraph } = options;
  return withRecording(createGraph, () => {
    const wanted = targets && new Set(targets);
    const all = reachable(seeds.map(({ edge }) => edge)).filter(({ order }) => order >= since);
    const order = wanted ? leadingTo(wanted, all) : all;
    for (const node of order) if (node.backward === null) throw freed(node);
    const pending = new Pending();
    const caught = new Map<Edge, Tensor>();
    const owned = new Set(seeds.map(({ grad }) => grad.storage));
    const arrive = (edge: Edge, grad: Tensor): void => {
      if (wanted?.has(edge)) caught.set(edge, grad);
      if (!wanted && edge.tensor) accumulate(edge.tensor, grad, owned, createGraph);
    };
    for (const { edge, grad } of seeds) pending.add(edge, grad);
    for (const node of order) {
      const grads = node.outputs.map((edge) => {
        const grad = pending.take(edge);
        if (grad) arrive(edge, grad);
        return grad;
      });
      if (grads.every((grad) => grad === null)) continue;
      checkSaved(node);
      const found = node.backward?.(grads) ?? [];
      node.edges.forEach((edge, i) => {
        const grad = found[i] ?? null;
        if (edge && grad) pending.add(edge, grad);
      });
      if (!retainGraph) node.backward = null;
    }
    for (const edge of pending.edges) {
      const grad = pending.take(edge, since === 0);
      if (grad) arrive(edge, grad);
    }
    return targets?.map((target) => caught.get(target) ?? null) ?? [];
  });
}

function accumulate(leaf: Tensor, grad: Tensor, owned: Set<Tensor["storage"]>, createGraph: boolean): void {
  const sofar = leaf.grad;
  if (sofar && !createGraph && canAdd(sofar, grad)) sofar.add_(grad);
  else if (sofar) leaf.grad = sumOfGradients(sofar, grad);
  // Two tensors must not share one gradient: changing either in place would change both.
  else leaf.grad = !createGraph && (owned.has(grad.storage) || !grad.isContiguous) ? grad.copy() : grad;
  owned.add(grad.storage);
}

/** Whether `grad` may be added to `sofar` in place, as PyTorch does: `.grad` then stays the tensor it is. */
const canAdd = (sofar: Tensor, grad: Tensor): boolean =>
  !sofar.requiresGrad &&
  sofar.dtype === grad.dtype &&
  sofar.isContiguous &&
  !(sofar instanceof SparseTensor) &&
  !(grad instanceof SparseTensor);

function freed(node: GraphNode): DescentError {
  const hint = "Pass { retainGraph: true } to the earlier one.";
  return new DescentError(
    "gradient",
    "backward",
    "the graph was freed by an earlier backward pass",
    { operation: node.name },
    hint,
  );
}

function checkSaved(node: GraphNode): void {
  for (const { tensor, version } of node.saved) {
    const changes = tensor.storage.version - version;
    if (changes === 0) continue;
    const facts = { operation: node.name, shape: tensor.shape, "changes since": changes };
    const hint = "Use the form without underscore, or clone() first.";
    throw new DescentError(
      "gradient",
      "backward",
      "a value needed for the derivative was changed in place",
      facts,
      hint,
    );
  }
}
