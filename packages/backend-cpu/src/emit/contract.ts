import type { ContractProgram, DType } from "@descent/backend";
import { declarations, invariants, loaded, type Places, storing } from "./body.ts";
import { range } from "./space.ts";

/** A stored number as an operand of a product. */
const factor = (dtype: DType, element: string): string => (dtype === "bool" ? element : loaded(dtype, element));

/** See `Pack` in `contract-problem.ts`. */
export const emitPack = (dtype: DType): string => `
function pack(source, base, tables, outer, count, inner, depth, target, to) {
if (count === 4) {
const p0 = base + tables[outer], p1 = base + tables[outer + 1], p2 = base + tables[outer + 2], p3 = base + tables[outer + 3];
for (let k = 0; k < depth; k++, to += 4) {
const at = tables[inner + k];
${range(0, 4)
  .map((i) => `target[to + ${i}] = ${factor(dtype, `source[p${i} + at]`)};`)
  .join("\n")}
}
} else {
for (let i = 0; i < 4; i++) {
if (i < count) {
const p = base + tables[outer + i];
for (let k = 0, at = to + i; k < depth; k++, at += 4) target[at] = ${factor(dtype, "source[p + tables[inner + k]]")};
} else for (let k = 0, at = to + i; k < depth; k++, at += 4) target[at] = 0;
}
}
}`;

/** See `Dots` in `contract-problem.ts`: sums along the inner axes, for four rows of the wide operand at once. */
export function emitDots(few: DType, wide: DType, integer: boolean): string {
  const add = (sum: string, a: string, b: string) =>
    integer ? `${sum} = (${sum} + Math.imul(${a}, ${b})) | 0;` : `${sum} += ${a} * ${b};`;
  const sums = (count: number) => {
    const each = range(0, count);
    return `
${each.map((i) => `const y${i} = wide.base + t[wide.outer + w + ${i}];`).join(" ")}
for (let f = few.from; f < few.to; f++) {
const x0 = few.base + t[few.outer + f];
let ${each.map((i) => `s${i} = 0`).join(", ")};
for (let k = 0; k < depth; k++) {
const a = ${factor(few, "x[x0 + t[xi + k]]")}, at = t[yi + k];
${each.map((i) => add(`s${i}`, "a", factor(wide, `y[y${i} + at]`))).join("\n")}
}
const to = (f - few.from) * fewStep + (w - wide.from) * wideStep;
${each.map((i) => `sums[to + ${i} * wideStep] = s${i};`).join("\n")}
}`;
  };
  return `
function dots(q, few, wide, sums, fewStep, wideStep) {
const t = q.tables, depth = q.depth, x = few.data, y = wide.data, xi = few.inner, yi = wide.inner;
let w = wide.from;
for (; w + 4 <= wide.to; w += 4) {${sums(4)}
}
for (; w < wide.to; w++) {${sums(1)}
}
}`;
}

/** See `Dots`: along the wide operand, for four inner indices at once. Floats only. */
export function emitSpread(few: DType, wide: DType): string {
  const pass = (count: number) => {
    const each = range(0, count);
    const terms = each.map((i) => `a${i} * ${factor(wide, `y[y${i} + at]`)}`);
    return `
${each.map((i) => `const y${i} = wide.base + t[yi + k + ${i}];`).join(" ")}
for (let f = few.from; f < few.to; f++) {
const x0 = few.base + t[few.outer + f];
${each.map((i) => `const a${i} = ${factor(few, `x[x0 + t[xi + k + ${i}]]`)};`).join(" ")}
for (let w = from, to = (f - few.from) * fewStep; w < end; w++, to += wideStep) {
const at = t[wo + w];
sums[to] += ${terms.join(" + ")};
}
}`;
  };
  return `
function spread(q, few, wide, sums, fewStep, wideStep) {
const t = q.tables, depth = q.depth, x = few.data, y = wide.data, xi = few.inner, yi = wide.inner;
const wo = wide.outer, from = wide.from, end = wide.to;
for (let f = few.from; f < few.to; f++) {
for (let w = from, to = (f - few.from) * fewStep; w < end; w++, to += wideStep) sums[to] = 0;
}
let k = 0;
for (; k + 4 <= depth; k += 4) {${pass(4)}
}
for (; k < depth; k++) {${pass(1)}
}
}`;
}

/** Bindings of the epilogue that have a table of offsets. */
export const stridedOf = ({ bindings }: ContractProgram): number[] =>
  range(2, bindings.length).filter((k) => bindings[k]!.access === "strided");

/** The body and the stores of a contract over one stretch of sums. */
export function emitEpilogue(program: ContractProgram): string {
  const { bindings, body, batch, rows, cols } = program;
  const strided = stridedOf(program);
  const groups = [
    { axes: range(0, batch), counter: "q.batch" },
    { axes: range(batch, batch + rows), counter: "row" },
    { axes: range(batch + rows, batch + rows + cols), counter: "col" },
  ];
  const index = (axis: number): string => {
    if (axis === -1) return "count";
    const { axes, counter } = groups.find((group) => group.axes.includes(axis))!;
    const later = axes.slice(axes.indexOf(axis) + 1).map((k) => `shape[${k}]`);
    const whole = later.length === 0 ? counter : `Math.floor(${counter} / (${later.join(" * ")}))`;
    return axis === axes[0] ? whole : `${whole} % shape[${axis}]`;
  };
  const places: Places = {
    address: (k) =>
      ({ flat: `o${k} + count`, single: `o${k}` })[bindings[k]!.access as "flat" | "single"] ??
      `r${k} + t[c${k} + col]`,
    index,
    accumulator: "sums[at]",
  };
  const fixed = invariants(program);
  return [
    "function epilogue(q) {",
    "const { args, shape, uniforms, sums, pitch, firstCol, endCol, firstRow } = q, t = q.tables;",
    ...range(2, bindings.length).map(
      (k) => `const a${k} = args[${k}], b${k} = a${k}.buffer.data, o${k} = a${k}.offset;`,
    ),
    ...strided.map(
      (k, i) =>
        `const p${k} = o${k} + t[q.starts[${3 * i}] + q.batch], m${k} = q.starts[${3 * i + 1}], c${k} = q.starts[${3 * i + 2}];`,
    ),
    declarations(program, fixed, places),
    "for (let row = firstRow; row < q.endRow; row++) {",
    "let at = (row - firstRow) * pitch, count = (q.batch * q.rows + row) * q.cols + firstCol;",
    ...strided.map((k) => `const r${k} = p${k} + t[m${k} + row];`),
    "for (let col = firstCol; col < endCol; col++, at++, count++) {",
    declarations(
      program,
      range(0, body.length).filter((id) => !fixed.has(id)),
      places,
    ),
    storing(program, program.stores, places),
    "}",
    "}",
    "}",
  ].join("\n");
}
