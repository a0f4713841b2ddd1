import type { Emit } from "./operations.ts";

const host =
  (name: string): Emit =>
  (v, type, operands) =>
    v.host(name, type, ...operands);

/** Functions of float32 vectors, each within the error that the table of operations allows. */
export const functions = {
  exp: host("exp"),
  expm1: host("expm1"),
  log: host("log"),
  log1p: host("log1p"),
  log2: host("log2"),
  sin: host("sin"),
  cos: host("cos"),
  tan: host("tan"),
  asin: host("asin"),
  acos: host("acos"),
  atan: host("atan"),
  atan2: host("atan2"),
  sinh: host("sinh"),
  cosh: host("cosh"),
  tanh: host("tanh"),
  asinh: host("asinh"),
  acosh: host("acosh"),
  atanh: host("atanh"),
  erf: host("erf"),
  erfc: host("erfc"),
  pow: host("pow"),
} satisfies Record<string, Emit>;
