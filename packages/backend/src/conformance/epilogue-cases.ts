import { buildContract } from "../build.ts";
import { sizeOf } from "../layout.ts";
import { Trace } from "../trace.ts";
import type { Value } from "../value.ts";
import type { Case } from "./case.ts";
import { operands, simple } from "./contract-cases.ts";
import { blank, type Lab, type Operand } from "./lab.ts";
import { randoms } from "./values.ts";

/** Products with an epilogue: what they add, and to what. */
type Epilogue = (trace: Trace, sum: Value) => { readonly operands: readonly Operand[] };

const shapeOf = { m: 37, n: 21, k: 18 };
const { m, n, k } = shapeOf;
const strided = (data: readonly number[], strides: readonly number[], offset = 0): Operand => ({
  dtype: "float32",
  data,
  strides,
  offset,
});

const epilogues: Readonly<Record<string, Epilogue>> = {
  "bias per column and ReLU": (trace, sum) => {
    const bias = trace.input("float32", "strided") as Value;
    trace.output("float32", "flat", sum.add(bias).maximum(0));
    return { operands: [strided(randoms(n), [0, 1]), strided(blank(m * n), [])] };
  },
  "bias per row, and a strided result": (trace, sum) => {
    const bias = trace.input("float32", "strided") as Value;
    trace.output("float32", "strided", sum.add(bias));
    return { operands: [strided(randoms(m + 2), [1, 0], 2), strided(blank(m * n), [1, m])] };
  },
  "added to what is there": (trace, sum) => {
    const target = trace.update("float32");
    trace.store(target.binding, (target.value as Value).add(sum.mul(trace.hyper(0))));
    return { operands: [strided(randoms(m * n), [])] };
  },
  "two results": (trace, sum) => {
    trace.output("float32", "flat", sum);
    trace.output("float32", "flat", sum.sigmoid());
    return { operands: [strided(blank(m * n), []), strided(blank(m * n), [])] };
  },
  "a single element and indices": (trace, sum) => {
    const scale = trace.input("float32", "single") as Value;
    trace.output("float32", "flat", sum.mul(scale).add(trace.index(0).cast("f32")).sub(trace.index(1).cast("f32")));
    trace.output("int32", "flat", trace.index(-1));
    return { operands: [strided([1, 0.5], [], 1), strided(blank(m * n), []), { dtype: "int32", data: blank(m * n) }] };
  },
  "a causal mask": (trace, sum) => {
    trace.output("float32", "flat", trace.index(1).le(trace.index(0)).select(sum.mul(0.25), Number.NEGATIVE_INFINITY));
    return { operands: [strided(blank(m * n), [])] };
  },
  "stored as float16": (trace, sum) => {
    trace.output("float16", "flat", sum);
    return { operands: [{ dtype: "float16", data: blank(m * n) }] };
  },
  "no use of the sum": (trace) => {
    trace.output("float32", "flat", trace.constant(3, "f32"));
    return { operands: [strided(blank(m * n), [])] };
  },
};

const epilogueCases: Case[] = Object.entries(epilogues).flatMap(([name, epilogue]) =>
  [
    [m, n, k],
    [1, n, k],
    [m, 1, k],
  ].map(([rows = 1, cols = 1, depth = 1]) => ({
    name: `${name} / ${rows} x ${cols}`,
    run: (lab: Lab) => {
      const trace = new Trace({ kind: "contract", rank: 2 });
      trace.bind("float32", "strided", "read");
      trace.bind("float32", "strided", "read");
      const added = epilogue(trace, trace.accumulator("f32"));
      const { program, uniforms } = buildContract(trace, simple);
      const { left, right } = operands("NN", rows, cols, depth);
      return lab.check({
        program,
        operands: [left, right, ...added.operands],
        shape: [rows, cols, depth],
        uniforms: uniforms([0.5]),
        tolerance: { ulp: 4, relative: 3e-6, of: "largest" },
      });
    },
  })),
);

const batchedEpilogue: Case = {
  name: "operands per batch, row and column / several axes",
  run: (lab) => {
    const trace = new Trace({ kind: "contract", rank: 4 });
    trace.bind("float32", "strided", "read");
    trace.bind("float32", "strided", "read");
    const sum = trace.accumulator("f32");
    const [a, b] = [trace.input("float32", "strided") as Value, trace.input("float32") as Value];
    const axes = [0, 1, 2, 3].map((axis) => trace.index(axis).cast("f32"));
    const places = axes.reduce((total, index) => total.mul(10).add(index));
    trace.output("float32", "flat", sum.add(a).mul(b).add(places));
    const shape = [3, 5, 2, 7, 6];
    const out = sizeOf(shape.slice(0, 4));
    return lab.check({
      program: buildContract(trace, { batch: 1, rows: 1, cols: 2, inner: 1 }).program,
      operands: [
        strided(randoms(90), [30, 6, 0, 0, 1]),
        strided(randoms(252, -1, 1, 2), [84, 0, 42, 6, 1]),
        strided(randoms(42, -1, 1, 3), [14, 0, 1, 2]),
        strided(randoms(out, -1, 1, 4), []),
        strided(blank(out), []),
      ],
      shape,
      tolerance: { ulp: 4, relative: 1e-6, of: "largest" },
    });
  },
};

export const epilogueCaseList: readonly Case[] = [...epilogueCases, batchedEpilogue];
