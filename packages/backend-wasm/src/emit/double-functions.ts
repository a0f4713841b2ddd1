import { simd } from "../asm/code.ts";
import { FullDoubles } from "./full-doubles.ts";
import type { Emit } from "./operations.ts";
import { mostReduced, orHost, type Shared, shared } from "./shared-functions.ts";

const full =
  (f: Shared): Emit =>
  (v, _type, operands) =>
    f(new FullDoubles(v), ...operands);

const circular = (name: "sin" | "cos" | "tan"): Emit =>
  orHost(name, (v, x) => simd(73, simd(236, x!), v.constant("f64", mostReduced)), full(shared[name]));

/** Functions of float64 vectors. What needs more than double precision inside, pow and fmod, is the engine's own. */
export const doubleFunctions = {
  exp: full((d, x) => d.exp(x!)),
  log: full((d, x) => d.log(x!)),
  tanh: full(shared.tanh),
  erf: full(shared.erf),
  expm1: full(shared.expm1),
  log1p: full(shared.log1p),
  log2: full(shared.log2),
  sin: circular("sin"),
  cos: circular("cos"),
  tan: circular("tan"),
  asin: full(shared.asin),
  acos: full(shared.acos),
  atan: full(shared.atan),
  atan2: full(shared.atan2),
  sinh: full(shared.sinh),
  cosh: full(shared.cosh),
  asinh: full(shared.asinh),
  acosh: full(shared.acosh),
  atanh: full(shared.atanh),
  erfc: full(shared.erfc),
  pow: (v, type, operands) => v.host("pow", type, ...operands),
  fmod: (v, type, operands) => v.host("fmod", type, ...operands),
} satisfies Record<string, Emit>;
