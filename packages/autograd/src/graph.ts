import { type Backward, DescentError, type Tape, type TapeEntry, type Tensor } from "@descent/tensor";
import { run, seedOf } from "./engine.ts";
import { isGradEnabled } from "./recording.ts";

/** One recorded operation. */
export interface GraphNode {
  /** Counts up as operations are recorded: a backward pass visits high numbers first. */
  readonly order: number;
  readonly name: string;
  /** Per input: where its gradient goes; null where none is needed. */
  readonly edges: readonly (Edge | null)[];
  /** Per output: what is known of it. */
  readonly outputs: Edge[];
  readonly saved: readonly { readonly tensor: Tensor; readonly version: number }[];
  /** Null once a backward pass has freed it. */
  backward: Backward | null;
}

/** Sees a complete gradient; what it returns, if anything, takes its place. */
export type GradHook = (grad: Tensor) => Tensor | undefined | null;

/** What the tape knows of one differentiable tensor: a leaf, or result `index` of `producer`. */
export interface Edge {
  readonly producer: GraphNode | null;
  readonly index: number;
  /** Whose `.grad` a pass fills: the leaf itself; another tensor only after `retainGrad`. */
  tensor: Tensor | null;
  readonly hooks: Set<GradHook>;
}

let orders = 0;

/** What the tape knows of `tensor`; null when it needs no gradient. */
export const edgeOf = (tensor: Tensor): Edge | null => (tensor.tape === tape ? (tensor.node as Edge) : null);

/** The number the next recorded operation gets. */
export const nextOrder = (): number => orders;

/** Adds an operation to the graph: gradients flow from `outputs` to `edges`. */
export function addNode(
  name: string,
  edges: readonly (Edge | null)[],
  outputs: readonly Tensor[],
  backward: Backward,
  saved: readonly Tensor[] = [],
): void {
  const kept = saved.map((tensor) => ({ tensor, version: tensor.storage.version }));
  const node: GraphNode = { order: orders++, name, edges, outputs: [], saved: kept, backward };
  outputs.forEach((output, index) => {
    const edge: Edge = { producer: node, index, tensor: null, hooks: new Set() };
    node.outputs.push(edge);
    output.tape = tape;
    output.node = edge;
  });
}

/** Storages that more than one differentiable tensor looks at: changing one in place would change the others' history. */
const viewed = new WeakSet<Tensor["storage"]>();

function record({ name, inputs, outputs, saved, backward }: TapeEntry): void {
  for (const output of outputs) {
    const isView = inputs.some((input) => input !== output && input.storage === output.storage && input.tape !== null);
    if (isView) viewed.add(output.storage);
  }
  addNode(name, inputs.map(edgeOf), outputs, backward, saved);
}

function checkInPlace(operation: string, target: Tensor): void {
  if (!isGradEnabled()) return;
  const edge = edgeOf(target);
  const facts = { shape: target.shape };
  if (edge && edge.producer === null) {
    const hint = "Do it inside noGrad(() => …), as optimizers do.";
    throw new DescentError("gradient", operation, "a leaf that needs a gradient is changed in place", facts, hint);
  }
  if (edge && viewed.has(target.storage)) {
    const hint = "Use the form without underscore, or clone() first.";
    throw new DescentError("gradient", operation, "a view of a differentiable tensor is changed in place", facts, hint);
  }
}

/** The tape of every variable: one graph for the whole program, grown as operations run. */
export const tape: Tape = {
  get recording() {
    return isGradEnabled();
  },
  record,
  backward(root, gradient, options) {
    run([{ edge: edgeOf(root) as Edge, grad: seedOf(root, gradient) }], null, options);
  },
  checkInPlace,
  registerHook(tensor, hook) {
    const { hooks } = edgeOf(tensor) as Edge;
    hooks.add(hook);
    return { remove: () => void hooks.delete(hook) };
  },
  retainGrad(tensor) {
    (edgeOf(tensor) as Edge).tensor = tensor;
  },
  origin: (tensor) => edgeOf(tensor)?.producer?.name ?? null,
};
