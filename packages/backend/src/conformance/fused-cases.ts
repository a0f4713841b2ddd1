import { buildFold } from "../build.ts";
import { gradients } from "../derive.ts";
import { sizeOf } from "../layout.ts";
import type { Access } from "../program.ts";
import { Trace } from "../trace.ts";
import type { Value } from "../value.ts";
import type { Case } from "./case.ts";
import { blank, type Lab, type Operand } from "./lab.ts";
import { randomIntegers, randoms } from "./values.ts";

/** A fused row operation: loads, then outputs per element and per row. */
type Rule = (
  trace: Trace,
  x: Value,
  other: Value,
  count: Value,
) => { element?: readonly Value[]; row?: readonly Value[] };

const logSumExp = (x: Value): Value => {
  const top = x.amax().detach();
  return x.sub(top).exp().sum().log().add(top);
};

const variance = (x: Value, count: Value): Value => x.sub(x.sum().div(count)).square().sum().div(count);

const rules: Readonly<Record<string, Rule>> = {
  softmax: (_trace, x) => {
    const e = x.sub(x.amax()).exp();
    return { element: [e.div(e.sum())] };
  },
  "softmax, its derivative": (trace, x, g) => {
    const e = x.sub(x.amax().detach()).exp();
    const y = e.div(e.sum());
    return { element: [y, gradients(trace, [y], [g], [x])[0] as Value] };
  },
  logSoftmax: (_trace, x) => ({ element: [x.sub(logSumExp(x))], row: [logSumExp(x)] }),
  variance: (_trace, x, _other, count) => ({ row: [x.sum().div(count), variance(x, count)] }),
  "layer norm": (_trace, x, weight, count) => {
    const mean = x.sum().div(count);
    const scale = variance(x, count).add(1e-5).rsqrt();
    return { element: [x.sub(mean).mul(scale).mul(weight)], row: [mean, scale] };
  },
  "layer norm, its derivative": (trace, x, g, count) => {
    const y = x.sub(x.sum().div(count)).mul(variance(x, count).add(1e-5).rsqrt());
    return { element: [gradients(trace, [y], [g], [x])[0] as Value] };
  },
  "sums of two things in one pass": (_trace, x, other) => ({ row: [x.mul(other).sum(), x.square().sum(), x.amax()] }),
  "three passes one after the other": (_trace, x) => {
    const a = x.sub(x.amin());
    const b = a.div(a.sum().add(1));
    return { element: [b.sub(b.amax())], row: [b.square().sum()] };
  },
  "what is common to a row is stored per element": (_trace, x) => ({ element: [x.sum().add(x.mul(0))] }),
};

interface Layout {
  readonly shape: readonly number[];
  readonly reduced: number;
  readonly access: Access;
  readonly strides: readonly number[];
}

const layouts: Readonly<Record<string, Layout>> = {
  "flat rows": { shape: [9, 65], reduced: 1, access: "flat", strides: [] },
  "short rows": { shape: [50, 3], reduced: 1, access: "flat", strides: [] },
  "one long row": { shape: [1, 1003], reduced: 1, access: "flat", strides: [] },
  "strided rows": { shape: [9, 65], reduced: 1, access: "strided", strides: [70, 1] },
  columns: { shape: [65, 9], reduced: 1, access: "strided", strides: [1, 65] },
  "many columns": { shape: [600, 5], reduced: 1, access: "strided", strides: [1, 600] },
  "channels in the middle": { shape: [3, 5, 7], reduced: 1, access: "strided", strides: [35, 1, 5] },
  "two folded axes": { shape: [4, 5, 6], reduced: 2, access: "strided", strides: [6, 24, 1] },
};

function run(lab: Lab, rule: Rule, { shape, reduced, access, strides }: Layout): Promise<void> {
  const rank = shape.length;
  const trace = new Trace({ kind: "fold", rank, reduced });
  const [x, other] = [trace.input("float32", access) as Value, trace.input("float32", access) as Value];
  const kept = shape.slice(0, rank - reduced);
  const { element = [], row = [] } = rule(trace, x, other, trace.hyper(0));
  for (const value of element) trace.output("float32", access, value);
  for (const value of row) trace.output("float32", "row", value);
  const { program, uniforms } = buildFold(trace);
  const length = access === "flat" ? sizeOf(shape) : 4000;
  const wide = (data: readonly number[]): Operand => ({ dtype: "float32", data, strides });
  return lab.check({
    program,
    operands: [
      wide(randoms(length)),
      wide(randoms(length, 0.5, 2, 2)),
      ...element.map(() => wide(blank(length))),
      ...row.map(() => ({ dtype: "float32" as const, data: blank(sizeOf(kept)) })),
    ],
    shape,
    uniforms: uniforms([sizeOf(shape.slice(rank - reduced))]),
    tolerance: { ulp: 8, relative: 2e-6, of: "largest" },
  });
}

const ruleCases: Case[] = Object.entries(rules).flatMap(([name, rule]) =>
  Object.entries(layouts).map(([where, layout]) => ({
    name: `${name} / ${where}`,
    run: (lab: Lab) => run(lab, rule, layout),
  })),
);

const rowOperands: Case = {
  name: "operands per row, flat and strided",
  run: async (lab) => {
    for (const strides of [
      [31, 1],
      [1, 20],
    ]) {
      const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
      const x = trace.input("float32", "strided") as Value;
      const [flat, strided] = [trace.input("float32", "row") as Value, trace.input("float32", "stridedRow") as Value];
      const total = trace.update("float32", "row");
      const scaled = x.mul(flat).add(strided);
      trace.output("float32", "strided", scaled);
      trace.store(total.binding, (total.value as Value).add(scaled.sum()));
      trace.output("float32", "stridedRow", scaled.amax());
      const operands: Operand[] = [
        { dtype: "float32", data: randoms(700), strides },
        { dtype: "float32", data: randoms(20) },
        { dtype: "float32", data: randoms(60), offset: 57, strides: [-3] },
        { dtype: "float32", data: randoms(20) },
        { dtype: "float32", data: blank(700), strides },
        { dtype: "float32", data: blank(40), strides: [2] },
      ];
      await lab.check({
        program: buildFold(trace).program,
        operands,
        shape: [20, 31],
        tolerance: { ulp: 4, relative: 2e-6, of: "largest" },
      });
    }
  },
};

const inPlace: Case = {
  name: "softmax in place",
  run: (lab) => {
    const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
    const { binding, value } = trace.update("float32");
    const e = (value as Value).sub((value as Value).amax()).exp();
    trace.store(binding, e.div(e.sum()));
    const operands = [{ dtype: "float32" as const, data: randoms(7 * 33) }];
    return lab.check({
      program: buildFold(trace).program,
      operands,
      shape: [7, 33],
      tolerance: { ulp: 8, relative: 1e-6, of: "largest" },
    });
  },
};

/** Cross entropy with class indices: the chosen element of a row is found by comparing indices. */
const chosen: Case = {
  name: "an index along the row meets one per row",
  run: (lab) => {
    const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
    const x = trace.input("float32") as Value;
    const target = trace.input("int64", "row") as Value;
    const hit = trace.index(1).eq(target);
    trace.output("float32", "row", logSumExp(x).sub(hit.select(x, 0).sum()));
    trace.output("int64", "row", x.argmax());
    trace.output("int32", "flat", trace.index(-1).sub(trace.index(0)));
    const operands: Operand[] = [
      { dtype: "float32", data: randoms(23 * 10) },
      { dtype: "int64", data: randomIntegers(23, 0, 10) },
      { dtype: "float32", data: blank(23) },
      { dtype: "int64", data: blank(23) },
      { dtype: "int32", data: blank(230) },
    ];
    return lab.check({
      program: buildFold(trace).program,
      operands,
      shape: [23, 10],
      tolerance: { ulp: 8, relative: 2e-6, of: "largest" },
    });
  },
};

const halfPrecision: Case[] = (["float16", "bfloat16"] as const).map((dtype) => ({
  name: `softmax / ${dtype}`,
  run: (lab) => {
    const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
    const x = trace.input(dtype) as Value;
    const e = x.sub(x.amax()).exp();
    trace.output(dtype, "flat", e.div(e.sum()));
    const operands = [randoms(210), blank(210)].map((data) => ({ dtype, data }));
    return lab.check({ program: buildFold(trace).program, operands, shape: [7, 30], tolerance: { ulp: 1 } });
  },
}));

export const fusedCaseList: readonly Case[] = [...ruleCases, rowOperands, inPlace, chosen, ...halfPrecision];
