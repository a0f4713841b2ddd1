import type { Family } from "../task.ts";
import { simple } from "./simple.ts";

/** What an operation costs beside its work: sixteen elements. */
export const small: Family = () => [
  simple({
    name: "add of 16",
    shape: [16],
    calls: 100,
    descent: (x) => x.add(x),
    tfjs: (x, tf) => tf.add(x, x),
    jax: (x) => x.ref.add(x),
    torch: "x + x",
  }),
  simple({
    name: "sum of 16",
    shape: [16],
    calls: 100,
    descent: (x) => x.sum(),
    tfjs: (x, tf) => tf.sum(x),
    jax: (x, { numpy }) => numpy.sum(x),
    torch: "x.sum()",
  }),
];
