import type { Tensor } from "./tensor.ts";
import { watcher } from "./watch.ts";

/** Gradients of the outputs in (null: zero), gradients of the inputs out (null: none wanted or none there). */
export type Backward = (grads: readonly (Tensor | null)[]) => readonly (Tensor | null)[];

/** What an operation tells a tape. */
export interface TapeEntry {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Tensors whose values `backward` will need: changing one in place in the meantime is an error. */
  readonly saved: readonly Tensor[];
  readonly backward: Backward;
}

/** How a backward pass is run. */
export interface BackwardOptions {
  /** Keep the graph, so that another backward pass may follow. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Record the backward pass itself, for derivatives of derivatives. Default: false. */
  readonly createGraph?: boolean;
}

/** What records operations for differentiation. A differentiable tensor carries its tape; an operation looks at its inputs'. */
export interface Tape {
  /** Whether operations are recorded now (not inside `noGrad`). */
  readonly recording: boolean;
  record(entry: TapeEntry): void;
  backward(root: Tensor, gradient: Tensor | null, options: BackwardOptions): void;
  /** Checks, before the fact, that `target` may be changed in place. */
  checkInPlace(operation: string, target: Tensor): void;
  /** Calls `hook` with the complete gradient of `tensor` in every pass; what it returns, if anything, takes its place. */
  registerHook(tensor: Tensor, hook: (grad: Tensor) => Tensor | undefined | null): { remove(): void };
  /** Makes every pass fill `tensor.grad`, although it is no leaf. */
  retainGrad(tensor: Tensor): void;
  /** The operation that made `tensor`; null for a leaf. */
  origin(tensor: Tensor): string | null;
}

/** The tape that an operation on `inputs` has to be recorded on; null when none of them is differentiable or recording is off. */
export function tapeOf(inputs: readonly (Tensor | number)[]): Tape | null {
  for (const input of inputs) {
    if (typeof input !== "number" && input.tape !== null) {
      watcher?.metTape(input.tape);
      return input.tape.recording ? input.tape : null;
    }
  }
  return null;
}

/** Records an operation with one output; returns the output. `backward` is asked only for inputs that need a gradient. */
export function record(
  name: string,
  inputs: readonly Tensor[],
  output: Tensor,
  backward: (g: Tensor, needs: readonly boolean[]) => readonly (Tensor | null)[],
  saved: readonly Tensor[] = [],
): Tensor {
  const tape = tapeOf(inputs);
  if (tape) {
    const needs = inputs.map((input) => input.tape !== null);
    tape.record({
      name,
      inputs,
      outputs: [output],
      saved,
      backward: ([g]) => (g ? backward(g, needs) : inputs.map(() => null)),
    });
  }
  return output;
}
