import type { GatherProgram, ScanProgram, ScatterProgram, SortProgram } from "@descent/backend";
import { identity, isFloat } from "@descent/backend";
import { literal, loaded, stored } from "./body.ts";
import { type Cursor, nest } from "./loops.ts";
import { isInteger } from "./ops.ts";
import { countingSteps, levels, prologue, range, stridedCursor } from "./space.ts";

/** Checks every index before anything is written. */
const check = (axes: readonly number[]): string =>
  [
    "const stride = uniforms[0], extent = uniforms[1];",
    nest(
      levels(axes),
      [stridedCursor("p1", "o1", 1, axes)],
      "const k = b1[p1];\nif (!(k >= 0 && k < extent)) outOfRange(label, k, extent);",
    ),
  ].join("\n");

const counter = (axes: readonly number[]): Cursor => ({ name: "count", start: "0", steps: countingSteps(axes, axes) });

export function emitGather({ rank, bindings }: GatherProgram): string {
  const axes = range(0, rank);
  const cursors = [stridedCursor("p0", "o0", 0, axes), stridedCursor("p1", "o1", 1, axes), counter(axes)];
  return [
    prologue(bindings, rank, ({ access }) => (access === "strided" ? rank : 0)),
    check(axes),
    nest(levels(axes), cursors, "b2[o2 + count] = b0[p0 + stride * b1[p1]];"),
  ].join("\n");
}

export function emitScatter({ rank, bindings, mode }: ScatterProgram): string {
  const axes = range(0, rank);
  const { dtype } = bindings[0]!;
  const cursors = [0, 1, 2].map((k) => stridedCursor(`p${k}`, `o${k}`, k, axes));
  const sum = () => {
    const parts = ["b0[at]", "b2[p2]"].map((element) => (dtype === "bool" ? element : loaded(dtype, element)));
    return dtype === "bool" ? parts.join(" + ") : stored(dtype, parts.join(" + "));
  };
  return [
    prologue(bindings, rank, () => rank),
    check(axes),
    nest(levels(axes), cursors, `const at = p0 + stride * b1[p1];\nb0[at] = ${mode === "sum" ? sum() : "b2[p2]"};`),
  ].join("\n");
}

export function emitScan({ rank, bindings, reducer }: ScanProgram): string {
  const outer = range(0, rank - 1);
  const last = rank - 1;
  const { dtype } = bindings[0]!;
  const type = isFloat(dtype) ? "f64" : "i32";
  const value = dtype === "bool" ? "b0[p0]" : loaded(dtype, "b0[p0]");
  const sign = reducer === "max" ? ">=" : "<=";
  const step = {
    sum: isInteger(type) ? "best = (best + x) | 0;" : "best += x;",
    prod: isInteger(type) ? "best = Math.imul(best, x);" : "best *= x;",
    // As PyTorch: a later equal element replaces an earlier one, and so does a later NaN.
    max: `if (j === 0 || x !== x || x ${sign} best) { best = x; place = j; }`,
    min: `if (j === 0 || x !== x || x ${sign} best) { best = x; place = j; }`,
  }[reducer];
  const indices = bindings.length > 2;
  const line = [
    `let best = ${literal(identity(reducer, type))}${indices ? ", place = 0" : ""};`,
    nest(
      [{ index: "j", extent: `n${last}` }],
      [stridedCursor("p0", "r0", 0, [last]), { name: "count", start: "first", steps: ["1"] }],
      [
        `const x = ${value};`,
        step,
        `b1[o1 + count] = ${dtype === "bool" ? "best" : stored(dtype, "best")};`,
        indices ? "b2[o2 + count] = place;" : "",
      ].join("\n"),
    ),
  ].join("\n");
  return [prologue(bindings, rank, (_, k) => (k === 0 ? rank : 0)), lines(rank, outer, line)].join("\n");
}

/** A loop over lines along the last axis: `r0` is where the input's line starts, `first` the count at its start. */
const lines = (rank: number, outer: readonly number[], body: string): string =>
  nest(
    levels(outer),
    [stridedCursor("r0", "o0", 0, outer), { name: "first", start: "0", steps: countingSteps(range(0, rank), outer) }],
    body,
  );

export function emitSort({ rank, bindings, descending }: SortProgram): string {
  const last = rank - 1;
  const { dtype } = bindings[0]!;
  const size = `n${last}`;
  const line = [
    `for (let j = 0; j < ${size}; j++) keys[j] = ${dtype === "bool" ? "b0[r0 + j * step]" : loaded(dtype, "b0[r0 + j * step]")};`,
    `sortLine(keys, order, spare, ${size}, ${descending});`,
    `for (let j = 0; j < ${size}; j++) {`,
    "const from = order[j];",
    "b1[o1 + first + j] = b0[r0 + from * step];",
    "b2[o2 + first + j] = from;",
    "}",
  ].join("\n");
  return [
    prologue(bindings, rank, (_, k) => (k === 0 ? rank : 0)),
    `const step = s0_${last}, keys = lane(0, ${size});`,
    `const order = new Int32Array(${size}), spare = new Int32Array(${size});`,
    lines(rank, range(0, last), line),
  ].join("\n");
}
