import * as exact from "@descent/backend";
import { expect, test } from "vitest";
import { erf, erfc } from "./erf.ts";
import { exp32, tanh32 } from "./single.ts";

const relative = (got: number, wanted: number): number => (got === wanted ? 0 : Math.abs(got / wanted - 1));

/** [x, erf(x), erfc(x)], from mpmath with 40 digits. */
const recorded = [
  [1e-10, 1.1283791670955126e-10, 0.999999999887162],
  [0.1, 0.1124629160182849, 0.887537083981715],
  [0.46875, 0.49261347321793797, 0.507386526782062],
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [0.75, 0.7111556336535151, 0.28884436634648486],
  [1, 0.8427007929497149, 0.15729920705028513],
  [1.0625, 0.8670582694349528, 0.13294173056504724],
  [1.5, 0.9661051464753108, 0.033894853524689274],
  [2, 0.9953222650189527, 0.004677734981047266],
  [2.5, 0.999593047982555, 0.0004069520174449589],
  [3.75, 0.9999998862727434, 1.1372725656979665e-7],
  [5, 0.9999999999984626, 1.537459794428035e-12],
  [5.9, 0.9999999999999999, 7.190409783550478e-17],
  [8, 1.0, 1.1224297172982926e-29],
  [12.5, 1.0, 6.231942781979911e-70],
  [20, 1.0, 5.395865611607901e-176],
  [26, 1.0, 5.663192408856143e-296],
  [-0.3, -0.3286267594591274, 1.3286267594591274],
  [-1, -0.8427007929497149, 1.8427007929497148],
  [-2, -0.9953222650189527, 1.9953222650189528],
  [-5.5, -0.9999999999999927, 1.9999999999999927],
] as const;

test.each(recorded)("erf and erfc of %d", (x, wanted, complement) => {
  expect(relative(erf(x), wanted)).toBeLessThan(1e-15);
  expect(relative(erfc(x), complement)).toBeLessThan(1e-15);
});

test("erf and erfc agree with the reference everywhere", () => {
  for (let x = -7; x < 27; x += 0.00737) {
    expect(relative(erf(x), exact.erf(x))).toBeLessThan(5e-15);
    expect(relative(erfc(x), exact.erfc(x))).toBeLessThan(5e-15);
  }
});

test("erf and erfc of special numbers", () => {
  const list = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-300, 30, -30];
  expect(list.map(erf)).toEqual([0, -0, Number.NaN, 1, -1, 1.1283791670955126e-300, 1, -1]);
  expect(list.map(erfc)).toEqual([1, 1, Number.NaN, 0, 2, 1, 0, 2]);
});

test.each([
  ["exp", exp32, Math.exp],
  ["tanh", tanh32, Math.tanh],
] as const)(
  "%s in single precision: nearly always the nearest float32, and never the one after",
  (_name, single, double) => {
    const float = new Float32Array(1);
    const bits = new Uint32Array(float.buffer);
    let [tried, missed] = [0, 0];
    for (let pattern = 0; pattern < 2 ** 32; pattern += 40_009) {
      bits[0] = pattern;
      const x = float[0] as number;
      const [got, wanted] = [Math.fround(single(x)), Math.fround(double(x))];
      tried++;
      if (Object.is(got, wanted)) continue;
      missed++;
      const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(wanted))), -126) - 23);
      expect(Math.abs(got - double(x)) / unit, `${x}`).toBeLessThan(0.51);
    }
    expect(missed / tried).toBeLessThan(1e-3);
  },
);
