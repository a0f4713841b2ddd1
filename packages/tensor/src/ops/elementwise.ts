export { add, div, mul, neg, sub } from "./arithmetic.ts";
export { gt } from "./compare.ts";
export { copyOf, filled, to } from "./copy.ts";
export { exp } from "./math.ts";
