import type { ContractProgram } from "@descent/backend";
import { dotted, unravel } from "../wgsl/address.ts";
import type { Frame } from "../wgsl/frame.ts";
import { type Features, held } from "../wgsl/storage.ts";

/**
 * How an operand lies in memory: along the `inner` axes one element after the other, along its `outer` ones (rows of the left
 * operand, columns of the right one), or in `any` other way. Vectors where everything is a multiple of four.
 */
export interface Lie {
  readonly along: "inner" | "outer" | "any";
  readonly vector: boolean;
}

export interface Side {
  /** Binding: 0 left, 1 right. */
  readonly binding: 0 | 1;
  /** Axes of its own: rows or columns. */
  readonly axes: readonly number[];
  readonly lie: Lie;
  /** What is loaded: halves only where the operand is stored as such. */
  readonly type: "f32" | "f16";
}

/** Functions that load 4 × 4 elements of an operand: four vectors along the outer axes, one per inner index. */
export function loader(program: ContractProgram, features: Features, frame: Frame, side: Side, name: string): string {
  const { binding, axes, lie, type } = side;
  const outer = program.batch + program.rows + program.cols;
  const inner = Array.from({ length: program.inner }, (_, i) => outer + i);
  const widens = held(program.bindings[binding]!.dtype, features) !== type;
  const [vec, mat] = [`vec4<${type}>`, `mat4x4<${type}>`];
  const extent = frame.extra(binding === 0 ? "m" : "n");
  const scalar = (at: string) => (widens ? `f32(${name}[${at}])` : `${name}[${at}]`);
  const quad = (at: string) => {
    const one = `${name}[(${at}) >> 2u]`;
    return widens ? `vec4<f32>(${one})` : one;
  };
  // Beyond the edge an index is drawn back inside, and what it loads is replaced by zeros.
  const offsets = `fn outer${binding}(i: u32) -> u32 {
${unravel(`min(i, ${extent} - 1u)`, axes, frame, "x")}
return ${dotted(binding, axes, frame, "x")};
}
fn inner${binding}(k: u32) -> u32 {
${unravel("k", inner, frame, "x")}
return ${dotted(binding, inner, frame, "x")};
}`;
  const valid = ["x", "y", "z", "w"].map((_, j) => `i + ${j}u < ${extent}`);
  const rows = ["x", "y", "z", "w"].map((c) => `base + o.${c}`);
  let load: string;
  if (lie.vector && lie.along === "inner") {
    load = `let z = ${vec}(0);
if (k >= stop) { return ${mat}(z, z, z, z); }
let ki = inner${binding}(k);
return transpose(${mat}(${rows.map((row, j) => `select(z, ${quad(`${row} + ki`)}, ${valid[j]})`).join(", ")}));`;
  } else if (lie.vector && lie.along === "outer") {
    const columns = [0, 1, 2, 3].map(
      (j) => `select(z, ${quad(`base + o.x + inner${binding}(min(k + ${j}u, stop - 1u))`)}, k + ${j}u < stop)`,
    );
    load = `let z = ${vec}(0);
if (i >= ${extent}) { return ${mat}(z, z, z, z); }
return ${mat}(${columns.join(", ")});`;
  } else {
    const columns = [0, 1, 2, 3].map(
      (j) => `select(z, ${vec}(${rows.map((row) => scalar(`${row} + k${j}`)).join(", ")}), k + ${j}u < stop)`,
    );
    load = `let z = ${vec}(0);
let inside = vec4<bool>(${valid.join(", ")});
${[0, 1, 2, 3].map((j) => `let k${j} = inner${binding}(min(k + ${j}u, stop - 1u));`).join("\n")}
let loaded = ${mat}(${columns.join(", ")});
return ${mat}(${[0, 1, 2, 3].map((j) => `select(z, loaded[${j}], inside)`).join(", ")});`;
  }
  return `${offsets}
fn outers${binding}(i: u32) -> vec4<u32> {
return vec4<u32>(${
    lie.vector && lie.along === "outer"
      ? `outer${binding}(i), 0u, 0u, 0u`
      : [0, 1, 2, 3].map((j) => `outer${binding}(i + ${j}u)`).join(", ")
  });
}
fn load${binding}(base: u32, o: vec4<u32>, i: u32, k: u32, stop: u32) -> ${mat} {
${load}
}`;
}

/** How an operand lies at a launch. */
export function lieOf(
  strides: readonly number[],
  offset: number,
  shape: readonly number[],
  own: readonly [from: number, to: number],
  inner: number,
  dense: boolean,
): Lie {
  const last = shape.length - 1;
  const side = own[1] - 1;
  const isInner = last >= inner && strides[last] === 1;
  const isOuter = side >= own[0] && strides[side] === 1;
  const multiples = (unit: number) =>
    dense &&
    offset % 4 === 0 &&
    shape[unit]! % 4 === 0 &&
    strides.every((stride, axis) => axis === unit || stride % 4 === 0 || shape[axis] === 1);
  if (isInner && multiples(last)) return { along: "inner", vector: true };
  if (isOuter && multiples(side)) return { along: "outer", vector: true };
  return { along: isInner ? "inner" : isOuter ? "outer" : "any", vector: false };
}
