import { buildMap } from "../build.ts";
import { type DType, dtypes, hostArray, valueType } from "../dtype.ts";
import { decode, encode } from "../element.ts";
import { Trace } from "../trace.ts";
import type { Mask, Value } from "../value.ts";
import type { Case } from "./case.ts";
import { assert, assertNumbers, blank, type Lab } from "./lab.ts";
import { plain, randoms } from "./values.ts";

/** Bits that must survive being written and read, whatever they stand for. */
const bits: Partial<Record<DType, readonly number[]>> = {
  float32: [
    0,
    -0,
    1,
    -1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** -149,
    3.4028234663852886e38,
  ],
  float64: [0, -0, 0.1, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 1.7976931348623157e308],
  float16: [0, 0x8000, 1, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x3c00],
  bfloat16: [0, 0x8000, 1, 0x7f7f, 0x7f80, 0xff80, 0x7fc0, 0x3f80],
  int32: [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)],
  int64: [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)],
  uint32: [0, 1, 2 ** 32 - 1],
  uint8: [0, 1, 255],
  bool: [0, 1, 1, 0, 1],
};

/** Stored numbers, bit for bit as they cross the border. */
async function stored(lab: Lab, dtype: DType, list: readonly number[]): Promise<void> {
  lab.needs(dtype);
  const array = hostArray(dtype, list.length);
  array.set(list);
  const buffer = lab.backend.alloc(dtype, list.length + 5);
  lab.backend.write(buffer, hostArray(dtype, list.length + 5));
  lab.backend.write(buffer, array, 3);
  array.fill(9); // what was handed over may change at once
  const all = await lab.backend.read(buffer);
  assert(all.constructor === array.constructor, `read gives a ${all.constructor.name}`);
  assertNumbers([...all], [0, 0, 0, ...list, 0, 0]);
  assertNumbers([...(await lab.backend.read(buffer, 4))], [...list.slice(1), 0, 0]);
  assertNumbers([...(await lab.backend.read(buffer, 4, 2))], list.slice(1, 3));
  assert((await lab.backend.read(buffer, 2, 0)).length === 0, "reading nothing gives something");
  lab.backend.free(buffer);
}

/** A map that only copies, or converts from one dtype to another. */
async function copy(
  lab: Lab,
  from: DType,
  to: DType,
  data: readonly number[],
  access: "flat" | "strided",
): Promise<void> {
  const trace = new Trace({ kind: "map", rank: 1 });
  const x = trace.input(from, access);
  const type = valueType(to);
  const value =
    x.type === "mask"
      ? type === "mask"
        ? x
        : (x as Mask).select(1, 0, type)
      : type === "mask"
        ? (x as Value).ne(0)
        : x;
  trace.output(to, access, value);
  const operands = [
    { dtype: from, data, strides: access === "flat" ? [] : [1] },
    { dtype: to, data: blank(data.length), strides: access === "flat" ? [] : [1] },
  ];
  await lab.check({ program: buildMap(trace).program, operands, shape: [data.length], signs: true });
}

const halves = (["float16", "bfloat16"] as const).flatMap((dtype): Case[] => {
  const [digits, lowest] = dtype === "float16" ? [10, -14] : [7, -126];
  const every = Array.from({ length: 65536 }, (_, i) => decode(dtype, i)).filter(
    (x) => Math.abs(x) >= 2 ** lowest || x === 0,
  );
  /** Numbers half-way between two, and a little to either side. */
  const halfway = [1, 3, 5, 1023, 100].flatMap((x) => {
    const middle = x + 2 ** (Math.floor(Math.log2(x)) - digits - 1);
    const next = middle + 2 ** (Math.floor(Math.log2(x)) - digits);
    return [middle, next, middle * (1 + 2 ** -20), middle * (1 - 2 ** -20), -middle, -next].map(Math.fround);
  });
  const beyond = dtype === "float16" ? [65504, 65519, 65520, 65536, 1e30] : [3.3895313892515355e38, 3.4e38];
  const small = [0.5, 0.75, 1.5, 2.5, 3.5, 1023.5].map((x) => Math.fround(x * 2 ** (lowest - digits)));
  return [
    { name: `${dtype} / every number widens`, run: (lab) => copy(lab, dtype, "float32", every, "flat") },
    {
      name: `${dtype} / rounds to nearest, ties to even`,
      run: (lab) => copy(lab, "float32", dtype, [...halfway, ...randoms(200)], "flat"),
    },
    {
      name: `${dtype} / too large becomes infinite`,
      run: (lab) =>
        copy(
          lab,
          "float32",
          dtype,
          [...beyond, ...beyond.map((x) => -x), Number.POSITIVE_INFINITY].map(Math.fround),
          "flat",
        ),
    },
    { name: `${dtype} / NaN stays NaN`, run: (lab) => copy(lab, "float32", dtype, [Number.NaN, 1], "flat") },
    {
      name: `${dtype} / subnormal results`,
      run: (lab) => copy(lab, "float32", dtype, [...small, ...small.map((x) => -x)], "flat"),
    },
    {
      name: `${dtype} / subnormal numbers widen`,
      run: (lab) =>
        copy(
          lab,
          dtype,
          "float32",
          [1, 2, 3, 2 ** digits - 1].map((x) => x * 2 ** (lowest - digits)),
          "flat",
        ),
    },
  ];
});

const roundTrips: Case[] = dtypes.flatMap((dtype) => [
  { name: `${dtype} / written and read`, run: (lab: Lab) => stored(lab, dtype, bits[dtype] as readonly number[]) },
  {
    name: `${dtype} / nothing`,
    run: async (lab: Lab) => {
      lab.needs(dtype);
      const buffer = lab.backend.alloc(dtype, 0);
      lab.backend.write(buffer, hostArray(dtype, 0));
      assert((await lab.backend.read(buffer)).length === 0, "an empty buffer has elements");
      lab.backend.free(buffer);
    },
  },
  ...(["flat", "strided"] as const).map((access) => ({
    name: `${dtype} / copied, ${access}`,
    run: (lab: Lab) => {
      const special = dtype.includes("float")
        ? [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
        : [];
      return copy(lab, dtype, dtype, [...plain(dtype, 131), ...special], access);
    },
  })),
]);

/** What a conversion may be given: integers beyond the target's range wrap or saturate, as `cast` says. */
const convertible = (dtype: DType): readonly number[] => {
  if (dtype.includes("float"))
    return [...plain(dtype, 40), 0.5, -0.5, 1.5, 2.5, 300, -300].map((x) => decode(dtype, encode(dtype, x)));
  return plain(dtype, 40);
};

const conversions: Case[] = dtypes.flatMap((from) =>
  dtypes
    .filter((to) => to !== from && valueType(to) === valueType(from))
    .map((to) => ({ name: `${from} to ${to}`, run: (lab: Lab) => copy(lab, from, to, convertible(from), "flat") })),
);

export const storageCaseList: readonly Case[] = [...roundTrips, ...conversions, ...halves];
