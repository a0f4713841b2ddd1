import {
  type Backward,
  type BackwardOptions,
  DescentError,
  type Tape,
  type TapeEntry,
  type Tensor,
} from "@descent/tensor";

/** One recorded operation. */
export interface GraphNode {
  /** Counts up as operations are recorded: a backward pass visits high numbers first. */
  readonly order: number;
  readonly name: string;
  /** Per input: where its gradient goes; null where none is needed. */
  readonly edges: readonly (Edge | null)[];
  readonly outputs: number;
  readonly saved: readonly { readonly tensor: Tensor; readonly version: number }[];
  /** Null once a backward pass has freed it. */
  backward: Backward | null;
}

/** What the tape knows of one differentiable tensor: a leaf, or result `index` of `producer`. */
export interface Edge {
  readonly producer: GraphNode | null;
  readonly index: number;
  /** The leaf itself; for other tensors only after `retainGrad`. */
  tensor: Tensor | null;
  /** Called with the complete gradient; may return another one. */
  hooks: ((grad: Tensor) => Tensor | undefined)[];
}

let orders = 0;
let enabled = true;

/** Runs `fn` with recording on or off, and restores what was. */
export function withRecording<T>(on: boolean, fn: () => T): T {
  const before = enabled;
  enabled = on;
  try {
    return fn();
  } finally {
    enabled = before;
  }
}

/** Whether operations on differentiable tensors are recorded now. */
export const isGradEnabled = (): boolean => enabled;

/** What the tape knows of `tensor`; null when it needs no gradient. */
export const edgeOf = (tensor: Tensor): Edge | null => (tensor.tape === tape ? (tensor.node as Edge) : null);

function record({ name, inputs, outputs, saved, backward }: TapeEntry): void {
  const edges = inputs.map(edgeOf);
  const node: GraphNode = {
    order: orders++,
    name,
    edges,
    outputs: outputs.length,
    saved: saved.map((tensor) => ({ tensor, version: tensor.storage.version })),
    backward,
  };
  outputs.forEach((output, index) => {
    output.tape = tape;
    output.node = { producer: node, index, tensor: null, hooks: [] } satisfies Edge;
  });
}

/** The tape of every variable: one graph for the whole program, grown as operations run. */
export const tape: Tape = {
  get recording() {
    return enabled;
  },
  record,
  backward(root, gradient, options) {
    const seed = seedOf(root, gradient);
    run([{ edge: edgeOf(root) as Edge, grad: seed }], null, options);
  },
  checkInPlace(operation, target) {
    const edge = edgeOf(target);
    if (enabled && edge?.producer === null) {
      throw new DescentError(
        "gradient",
        operation,
        "a leaf that needs a gradient is changed in place",
        { shape: target.shape },
        "Do it inside noGrad(() => …), as optimizers do.",
      );
    }
  },
};

/** The gradient a pass starts from: 1 for a single element, else the caller's. */
export function seedOf(root: Tensor, gradient: Tensor | null): Tensor {
  if (gradient === null) {
    if (root.size !== 1) {
      throw new DescentError(
        "gradient",
        "backward",
        "the tensor has more than one element",
        { shape: root.shape },
        "Reduce it first, for example with mean(), or pass backward(gradient).",
      );
    }
    return root.onesLike();
  }
  if (gradient.shape.join() !== root.shape.join()) {
    throw new DescentError("shape", "backward", "the gradient has another shape than the tensor", {
      gradient: gradient.shape,
      tensor: root.shape,
    });
  }
  return gradient;
}

interface Seed {
  readonly edge: Edge;
  readonly grad: Tensor;
}

/** The operations that `seeds` depend on, latest first. */
function reachable(seeds: readonly Seed[]): GraphNode[] {
  const found = new Set<GraphNode>();
  const stack = seeds.flatMap(({ edge }) => (edge.producer ? [edge.producer] : []));
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const edge of node.edges) if (edge?.producer) stack.push(edge.producer);
  }
  return [...found].sort((a, b) => b.order - a.order);
}

/**
 * One backward pass from `seeds`. With `targets` their gradients are returned and nothing is accumulated; without, every leaf's
 * `.grad` grows.
 */
export function run(
  seeds: readonly Seed[],
  targets: readonly Edge[] | null,
  { createGraph = false, retainGraph = createGraph }: BackwardOptions,
): (Tensor | null)[] {
  return withRecording(createGraph, () => {
    const pending = new Map<GraphNode, (Tensor | null)[]>();
    const leaves = new Map<Tensor, { edge: Edge; grad: Tensor }>();
    const caught = new Map<string, Tensor>();
    const targetKeys = new Map<GraphNode | Tensor, Map<number, number>>();
    targets?.forEach((target, slot) => {
      const owner = target.producer ?? (target.tensor as Tensor);
      const slots = targetKeys.get(owner) ?? new Map<number, number>();
      slots.set(target.index, slot);
      targetKeys.set(owner, slots);
    });
    const deliver = (edge: Edge, grad: Tensor): void => {
      if (edge.producer) {
        const grads = pending.get(edge.producer) ?? new Array<Tensor | null>(edge.producer.outputs).fill(null);
        const sofar = grads[edge.index] ?? null;
        grads[edge.index] = sofar ? sofar.add(grad) : grad;
        pending.set(edge.producer, grads);
      } else {
        const leaf = edge.tensor as Tensor;
        const sofar = leaves.get(leaf);
        leaves.set(leaf, { edge, grad: sofar ? sofar.grad.add(grad) : grad });
      }
    };
    for (const { edge, grad } of seeds) deliver(edge, grad);
    const order = reachable(seeds);
    for (const node of order) if (node.backward === null && pending.size > 0) throw freed(node);
    const owned = new Set(seeds.map(({ grad }) => grad.storage));
    for (const node of order) {
      const grads = pending.get(node);
      if (!grads) continue;
      pending.delete(node);
      for (const [index, slot] of targetKeys.get(node) ?? []) if (grads[index]) caught.set(String(slot), grads[index]);
      checkSaved(node);
      const found = (node.backward as Backward)(grads);
      node.edges.forEach((edge, i) => {
        const grad = found[i] ?? null;
        if (edge && grad) deliver(edge, grad);
      });
      if (!retainGraph) node.backward = null;
    }
    for (const [leaf, { grad }] of leaves) {
      const slot = targetKeys.get(leaf)?.get(0);
      if (slot !== undefined) caught.set(String(slot), grad);
      if (targets === null) accumulate(leaf, grad, owned, createGraph);
    }
    return targets?.map((_, slot) => caught.get(String(slot)) ?? null) ?? [];
  });
}

function accumulate(leaf: Tensor, grad: Tensor, owned: Set<Tensor["storage"]>, createGraph: boolean): void {
  if (leaf.grad) leaf.grad = leaf.grad.add(grad);
  // Two leaves must not share one gradient: changing either in place would change both.
  else leaf.grad = !createGraph && (owned.has(grad.storage) || !grad.isContiguous) ? grad.copy() : grad;
  owned.add(grad.storage);
}

const freed = (node: GraphNode): DescentError =>
  new DescentError(
    "gradient",
    "backward",
    "the graph was freed by an earlier backward pass",
    { operation: node.name },
    "Pass { retainGraph: true } to the earlier one.",
  );

function checkSaved(node: GraphNode): void {
  for (const { tensor, version } of node.saved) {
    if (tensor.storage.version !== version) {
      const facts = { operation: node.name, shape: tensor.shape, "changes since": tensor.storage.version - version };
      throw new DescentError(
        "gradient",
        "backward",
        "a value needed for the derivative was changed in place",
        facts,
        "Use the form without underscore, or clone() first.",
      );
    }
  }
}
