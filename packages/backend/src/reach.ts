import type { Launch } from "./backend.ts";
import { DescentError } from "./error.ts";
import { contiguousStrides, type Shape } from "./layout.ts";

/** The elements that one binding of a launch may touch: `offset` plus any index of `shape` times `strides`. */
export interface Reach {
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** Which elements binding `k` of a launch touches; for what is reached by index, all that a right index may choose. */
export function reachOf({ kernel, args, shape, uniforms }: Launch, k: number): Reach {
  const { program } = kernel;
  const { access } = program.bindings[k]!;
  const { offset, strides } = args[k]!;
  if (access === "single") return { offset, shape: [], strides: [] };
  let space: Shape = shape;
  if (program.kind === "contract" && k >= 2) space = shape.slice(0, program.batch + program.rows + program.cols);
  if (access === "row" || access === "stridedRow")
    space = shape.slice(0, program.kind === "fold" ? program.rank - program.reduced : 0);
  if (access === "flat" || access === "row") return { offset, shape: space, strides: contiguousStrides(space) };
  if ((program.kind === "gather" || program.kind === "scatter") && k === 0)
    return { offset, shape: [...space, uniforms[1]!], strides: [...strides, uniforms[0]!] };
  return { offset, shape: space, strides };
}

/** Calls `visit` with the position of every element of a reach. */
export function forEachPosition({ offset, shape, strides }: Reach, visit: (position: number) => void): void {
  const walk = (axis: number, position: number): void => {
    if (axis === shape.length) return visit(position);
    for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, position + i * strides[axis]!);
  };
  walk(0, offset);
}

const rankOf = ({ kernel: { program } }: Launch): number =>
  program.kind === "contract" ? program.batch + program.rows + program.cols + program.inner : program.rank;

/** Checks that a launch fits its program and stays inside its buffers: what backends take on trust. */
export function checkLaunch(launch: Launch): void {
  const { kernel, args, shape, uniforms, label } = launch;
  const { bindings, uniforms: slots } = kernel.program;
  const expected = { arguments: bindings.length, axes: rankOf(launch), uniforms: slots.length };
  const given = { arguments: args.length, axes: shape.length, uniforms: uniforms.length };
  for (const what of ["arguments", "axes", "uniforms"] as const) {
    if (expected[what] === given[what]) continue;
    const facts = { expected: expected[what], given: given[what], program: kernel.program.key };
    throw new DescentError("program", label, `a launch with the wrong number of ${what}`, facts);
  }
  bindings.forEach(({ dtype, access }, k) => {
    const { buffer, offset, strides } = args[k]!;
    const reach = reachOf(launch, k);
    const facts = { binding: k, dtype, access, shape, offset, strides, "buffer length": buffer.length };
    if (buffer.dtype !== dtype)
      throw new DescentError("program", label, "a launch with a buffer of another dtype", {
        ...facts,
        given: buffer.dtype,
      });
    if (reach.strides.length !== reach.shape.length)
      throw new DescentError("program", label, "a launch with the wrong number of strides", facts);
    if (reach.shape.includes(0)) return;
    let [low, high] = [offset, offset];
    reach.shape.forEach((extent, axis) => {
      const span = (extent - 1) * reach.strides[axis]!;
      if (span < 0) low += span;
      else high += span;
    });
    if (low < 0 || high >= buffer.length)
      throw new DescentError("program", label, "a launch leaves its buffer", { ...facts, first: low, last: high });
  });
}
