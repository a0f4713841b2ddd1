import { buildMap } from "../build.ts";
import { type DType, type ValueType, valueType } from "../dtype.ts";
import { type Op, opRow, ops, type Signature } from "../ops.ts";
import { Trace } from "../trace.ts";
import type { Mask, Value } from "../value.ts";
import type { Case } from "./case.ts";
import { blank, type Lab, NotApplicable, type Operand } from "./lab.ts";
import { holder, integers, type KindOfNumber, kindsOfNumbers, pairs, randoms } from "./values.ts";

const floats: readonly ValueType[] = ["f32", "f64"];
const numbers: readonly ValueType[] = ["f32", "f64", "i32", "u32"];
/** The types whose values an operation is tried on. */
const typesOf: Record<Signature, readonly ValueType[]> = {
  float: floats,
  number: numbers,
  bits: ["i32", "u32"],
  compare: numbers,
  logic: ["mask"],
  select: numbers,
  cast: numbers,
};

/** Runs `op` over lists of operands, as one map: operands in, result out. */
async function tryOp(
  lab: Lab,
  op: Op,
  types: readonly ValueType[],
  lists: readonly (readonly number[])[],
  result?: ValueType,
) {
  const trace = new Trace({ kind: "map", rank: 1 });
  const operands = types.map((type) => trace.input(holder[type]));
  const value =
    op === "cast" ? (operands[0] as Value).cast(result as ValueType) : (trace.apply(op, operands) as Value | Mask);
  trace.output(holder[value.type], "flat", value);
  const size = lists[0]?.length ?? 0;
  const out: Operand = { dtype: holder[value.type], data: blank(size) };
  // The column is for float32; in double precision the interpreter itself is off by a few units.
  const ulp = lab.ulp(op) * (value.type === "f64" ? 16 : 1);
  await lab.check({
    program: buildMap(trace).program,
    operands: [...types.map((type, k) => ({ dtype: holder[type], data: lists[k] as readonly number[] })), out],
    shape: [size],
    tolerance: { ulp },
  });
}

/** Where an operation's result would be out of range or lose what makes the case interesting, other numbers are tried. */
const ordinary: Partial<Record<Op, readonly number[]>> = {
  exp: randoms(60, -20, 20),
  expm1: [...randoms(60, -20, 20), ...randoms(20, -1e-3, 1e-3)],
  log1p: [...randoms(60, -0.9, 10), ...randoms(20, -1e-3, 1e-3)],
  log: [...randoms(60, 0, 100), ...randoms(20, 0.9, 1.1)],
  log2: [...randoms(60, 0, 100), ...randoms(20, 0.9, 1.1), 8, 0.25],
  asin: randoms(60, -1, 1),
  acos: randoms(60, -1, 1),
  atanh: randoms(60, -1, 1),
  acosh: randoms(60, 1, 10),
  sinh: randoms(60, -10, 10),
  cosh: randoms(60, -10, 10),
  erf: [...randoms(60, -4, 4), ...randoms(20, -1e-2, 1e-2)],
  erfc: randoms(60, -4, 9),
  sin: [...randoms(60, -100, 100), ...randoms(20, -3.2, 3.2)],
  cos: [...randoms(60, -100, 100), ...randoms(20, -3.2, 3.2)],
  tan: [...randoms(60, -100, 100), ...randoms(20, -3.2, 3.2)],
  round: [0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, 0.49999997, 8388607.5, 4194304.5, ...randoms(40)],
};

function floatCases(op: Op, arity: number, type: ValueType): Case[] {
  return (Object.keys(kindsOfNumbers) as KindOfNumber[]).map((kind) => ({
    name: `${op} / ${type} / ${kind}`,
    run: (lab) => {
      if (kind === "subnormal" && lab.flushes)
        throw new NotApplicable(`${lab.backend.name} may flush subnormal numbers`);
      const list = kind === "ordinary" ? (ordinary[op] ?? kindsOfNumbers.ordinary) : kindsOfNumbers[kind];
      if (arity === 1) return tryOp(lab, op, [type], [list]);
      const other = kind === "ordinary" ? list : [...list, 1.5, -2.5, 3];
      return tryOp(lab, op, [type, type], pairs(other, other));
    },
  }));
}

function integerCase(op: Op, arity: number, type: "i32" | "u32"): Case {
  const shift = op === "shl" || op === "shr";
  return {
    name: `${op} / ${type}`,
    run: (lab) => {
      const list = integers[type];
      if (arity === 1) return tryOp(lab, op, [type], [list]);
      return tryOp(lab, op, [type, type], pairs(list, shift ? [0, 1, 7, 31] : list));
    },
  };
}

function opCases(op: Op): Case[] {
  const { signature, arity } = opRow(op);
  if (signature === "cast") return castCases();
  if (signature === "logic") {
    const [a, b] = pairs([0, 1], [0, 1]);
    const lists = arity === 1 ? [a] : [a, b];
    return [
      {
        name: `${op} / mask`,
        run: (lab) =>
          tryOp(
            lab,
            op,
            lists.map(() => "mask"),
            lists,
          ),
      },
    ];
  }
  if (signature === "select") {
    return typesOf.select.map((type) => ({
      name: `${op} / ${type}`,
      run: (lab) =>
        tryOp(
          lab,
          op,
          ["mask", type, type],
          [
            [0, 1, 1, 0],
            [1, 2, 3, 4],
            [5, 6, 7, 8],
          ],
        ),
    }));
  }
  return typesOf[signature].flatMap((type) => {
    if (type === "f32" || type === "f64") return floatCases(op, arity, type);
    // The upper half of a product is defined for unsigned numbers.
    return op === "mulHigh" && type === "i32" ? [] : [integerCase(op, arity, type as "i32" | "u32")];
  });
}

function castCases(): Case[] {
  const lists: Record<string, readonly number[]> = {
    f32: [
      ...kindsOfNumbers.ordinary,
      ...kindsOfNumbers.huge,
      ...kindsOfNumbers.infinities,
      Number.NaN,
      -0,
      0.99,
      -0.99,
    ],
    f64: [...kindsOfNumbers.ordinary, 1e300, -1e300, 2147483647.5, -2147483648.5, 4294967295.5, 0.1, Number.NaN],
    ...integers,
  };
  return numbers.flatMap((from) =>
    numbers
      .filter((to) => to !== from)
      .map((to) => ({
        name: `cast / ${from} to ${to}`,
        run: (lab: Lab) => tryOp(lab, "cast", [from], [lists[from] as readonly number[]], to),
      })),
  );
}

/** Constants and uniforms of every type, special numbers included. */
function literalCases(): Case[] {
  const special = [0, -0, 1, -1.5, 0.1, 1e-30, 3e38, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const types: readonly DType[] = ["float32", "float64", "int32", "uint32"];
  return types.flatMap((dtype): Case[] => {
    const type = valueType(dtype);
    const list = type === "i32" || type === "u32" ? integers[type] : special;
    const make = (source: "constants" | "uniforms") => async (lab: Lab) => {
      for (let from = 0; from < list.length; from += 4) {
        const some = list.slice(from, from + 4); // a program with more buffers would be too much for some devices
        const trace = new Trace({ kind: "map", rank: 1 });
        some.forEach((number, k) => {
          trace.output(dtype, "flat", source === "constants" ? trace.constant(number, type) : trace.hyper(k).mul(1));
        });
        const { program, uniforms } = buildMap(trace);
        const operands = some.map(() => ({ dtype, data: blank(2) }));
        await lab.check({ program, operands, shape: [2], uniforms: uniforms(some), signs: true });
      }
    };
    return [
      { name: `constants / ${type}`, run: make("constants") },
      { name: `uniforms / ${type}`, run: make("uniforms") },
    ];
  });
}

export const opCaseList: readonly Case[] = [...(Object.keys(ops) as Op[]).flatMap(opCases), ...literalCases()];
