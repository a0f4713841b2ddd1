import { buildMap } from "../build.ts";
import { sizeOf } from "../layout.ts";
import { Trace } from "../trace.ts";
import { lerp, type Mask, type Value } from "../value.ts";
import type { Case } from "./case.ts";
import { blank } from "./lab.ts";
import { randomIntegers, randoms } from "./values.ts";

/** Lengths around the widths of vectors and workgroups. */
export const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 64, 127, 1003] as const;

const flatCases: Case[] = lengths.map((length) => ({
  name: `flat / length ${length}`,
  run: (lab) => {
    const trace = new Trace({ kind: "map", rank: 1 });
    const [a, b] = [trace.input("float32") as Value, trace.input("float32") as Value];
    trace.output("float32", "flat", a.add(b));
    trace.output("float32", "flat", a.sub(b));
    return lab.check({
      program: buildMap(trace).program,
      operands: [randoms(length), randoms(length, -1, 1, 2), blank(length), blank(length)].map((data) => ({
        dtype: "float32",
        data,
      })),
      shape: [length],
    });
  },
}));

const offsetCases: Case[] = [1, 2, 3, 4, 5].map((offset) => ({
  name: `flat / offsets of ${offset}`,
  run: (lab) => {
    const trace = new Trace({ kind: "map", rank: 1 });
    trace.output("float32", "flat", (trace.input("float32") as Value).mul(trace.input("float32") as Value));
    const operands = [0, offset, 2 * offset].map((own, k) => ({
      dtype: "float32" as const,
      data: k < 2 ? randoms(40, -4, 4, k) : blank(40),
      offset: own,
    }));
    return lab.check({ program: buildMap(trace).program, operands, shape: [29] });
  },
}));

interface Layout {
  readonly name: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset?: number;
}

/** How a strided operand may lie. */
const layouts: readonly Layout[] = [
  { name: "contiguous", shape: [5, 7], strides: [7, 1] },
  { name: "transposed", shape: [7, 5], strides: [1, 7] },
  { name: "every second", shape: [17], strides: [2] },
  { name: "backwards", shape: [33], strides: [-1], offset: 34 },
  { name: "one axis backwards", shape: [4, 6], strides: [6, -1], offset: 5 },
  { name: "expanded first axis", shape: [4, 9], strides: [0, 1] },
  { name: "expanded last axis", shape: [9, 5], strides: [1, 0] },
  { name: "expanded everywhere", shape: [3, 4], strides: [0, 0], offset: 2 },
  { name: "overlapping windows", shape: [6, 3], strides: [2, 1] },
  { name: "diagonal", shape: [6], strides: [7] },
  { name: "three axes permuted", shape: [3, 4, 5], strides: [1, 15, 3] },
  { name: "five axes", shape: [2, 3, 2, 3, 2], strides: [1, 24, 2, 4, 12] },
  { name: "an empty axis", shape: [3, 0, 2], strides: [0, 2, 1] },
  { name: "axes of one", shape: [1, 130, 1], strides: [500, 1, 77] },
  { name: "long lines", shape: [3, 131], strides: [140, 1] },
  { name: "long lines apart", shape: [3, 131], strides: [1, 3] },
];

const stridedCases: Case[] = layouts.flatMap(({ name, shape, strides, offset = 0 }) => [
  {
    name: `strided / ${name}`,
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: shape.length });
      const [a, b, c] = [trace.input("float32", "strided"), trace.input("float32"), trace.input("float32", "single")];
      trace.output("float32", "flat", (a as Value).mul(b as Value).sub(c as Value));
      const data = randoms(600);
      const size = sizeOf(shape);
      return lab.check({
        program: buildMap(trace).program,
        operands: [
          { dtype: "float32", data, offset, strides },
          { dtype: "float32", data: randoms(size, 0, 1, 3) },
          { dtype: "float32", data: [1, 2, 3], offset: 1 },
          { dtype: "float32", data: blank(size) },
        ],
        shape,
        tolerance: { relative: 1e-6, of: "largest" },
      });
    },
  },
  ...(strides.includes(0) || name === "overlapping windows"
    ? []
    : [
        {
          name: `strided / written ${name}`,
          run: (lab) => {
            const trace = new Trace({ kind: "map", rank: shape.length });
            const target = trace.update("float32", "strided");
            const source = trace.input("float32") as Value;
            trace.store(target.binding, (target.value as Value).neg());
            trace.output("float32", "strided", source);
            const operands = [
              { dtype: "float32", data: randoms(600), offset, strides },
              { dtype: "float32", data: randoms(sizeOf(shape)) },
              { dtype: "float32", data: blank(600), offset, strides },
            ] as const;
            return lab.check({ program: buildMap(trace).program, operands, shape });
          },
        } satisfies Case,
      ]),
]);

const otherCases: Case[] = [
  {
    name: "in place / a whole optimizer step",
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: 1 });
      const [p, m, v] = [trace.update("float32"), trace.update("float32"), trace.update("float32")];
      const g = trace.input("float32") as Value;
      const [lr, beta1, beta2, eps, step] = [0, 1, 2, 3, 4].map((slot) => trace.hyper(slot)) as [
        Value,
        Value,
        Value,
        Value,
        Value,
      ];
      const mean = lerp(m.value as Value, g, beta1.complement());
      const square = (v.value as Value).mul(beta2).add(g.square().mul(beta2.complement()));
      const root = square.sqrt().div(beta2.pow(step).complement().sqrt()).add(eps);
      trace.store(p.binding, (p.value as Value).sub(mean.div(root).mul(lr.div(beta1.pow(step).complement()))));
      trace.store(m.binding, mean);
      trace.store(v.binding, square);
      const { program, uniforms } = buildMap(trace);
      const list = [randoms(1003), randoms(1003, -0.1, 0.1, 2), randoms(1003, 0, 0.1, 3), randoms(1003, -1, 1, 4)];
      return lab.check({
        program,
        operands: list.map((data) => ({ dtype: "float32", data })),
        shape: [1003],
        uniforms: uniforms([0.1, 0.9, 0.999, 1e-8, 3]),
        tolerance: { ulp: 8, relative: 1e-7, of: "largest" },
      });
    },
  },
  {
    name: "in place / two buffers change places",
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: 1 });
      const [a, b] = [trace.update("float32"), trace.update("float32")];
      trace.store(a.binding, b.value);
      trace.store(b.binding, a.value);
      const operands = [randoms(127), randoms(127, 0, 1, 2)].map((data) => ({ dtype: "float32" as const, data }));
      return lab.check({ program: buildMap(trace).program, operands, shape: [127], signs: true });
    },
  },
  {
    name: "several outputs of several types",
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: 1 });
      const x = trace.input("float32") as Value;
      const positive = x.gt(0);
      trace.output("bool", "flat", positive);
      trace.output("int32", "flat", x.cast("i32"));
      trace.output("float32", "flat", positive.select(x, 0));
      trace.output("float32", "flat", trace.constant(5, "f32"));
      const dtypes = ["float32", "bool", "int32", "float32", "float32"] as const;
      const operands = dtypes.map((dtype, k) => ({ dtype, data: k === 0 ? randoms(127) : blank(127) }));
      return lab.check({ program: buildMap(trace).program, operands, shape: [127] });
    },
  },
  {
    name: "masks are loaded, combined and stored",
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: 2 });
      const [a, b] = [trace.input("bool", "strided") as Mask, trace.input("bool") as Mask];
      trace.output("bool", "flat", a.and(b.not()).xor(a.or(b)));
      const operands = [
        { dtype: "bool", data: randomIntegers(91, 0, 2), strides: [1, 13] },
        { dtype: "bool", data: randomIntegers(91, 0, 2, 2) },
        { dtype: "bool", data: blank(91) },
      ] as const;
      return lab.check({ program: buildMap(trace).program, operands, shape: [13, 7] });
    },
  },
  {
    name: "the index along each axis, and the count",
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: 3 });
      for (const axis of [-1, 0, 1, 2]) trace.output("int32", "flat", trace.index(axis));
      const operands = [0, 1, 2, 3].map(() => ({ dtype: "int32" as const, data: blank(105) }));
      return lab.check({ program: buildMap(trace).program, operands, shape: [3, 5, 7] });
    },
  },
  {
    name: "the count over a flat space",
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: 1 });
      trace.output("uint32", "flat", trace.index(-1).cast("u32").mul(2654435761));
      return lab.check({
        program: buildMap(trace).program,
        operands: [{ dtype: "uint32", data: blank(1003) }],
        shape: [1003],
      });
    },
  },
  {
    name: "a single element is read and written",
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: 1 });
      const total = trace.update("float32", "single");
      trace.store(total.binding, (total.value as Value).add(trace.input("float32", "single") as Value));
      const operands = [
        { dtype: "float32", data: [1, 2, 3], offset: 2 },
        { dtype: "float32", data: [10, 20], offset: 1 },
      ] as const;
      return lab.check({ program: buildMap(trace).program, operands, shape: [1] });
    },
  },
  {
    name: "an index space of several axes over flat buffers",
    run: (lab) => {
      const trace = new Trace({ kind: "map", rank: 3 });
      trace.output("float32", "flat", (trace.input("float32") as Value).mul(0.5));
      const operands = [randoms(60), blank(60)].map((data) => ({ dtype: "float32" as const, data }));
      return lab.check({ program: buildMap(trace).program, operands, shape: [3, 4, 5] });
    },
  },
];

export const mapCaseList: readonly Case[] = [...flatCases, ...offsetCases, ...stridedCases, ...otherCases];
