import { layerNorm } from "@descent/nn";
import type { Family } from "../task.ts";
import { simple } from "./simple.ts";

const shape = [1024, 1024];
const read = 4 * 1024 ** 2;

/** Reductions and normalisations of 1024 × 1024. */
export const fold: Family = () => [
  simple({
    name: "sum of columns",
    shape,
    bytes: read,
    descent: (x) => x.sum(0),
    tfjs: (x, tf) => tf.sum(x, 0),
    jax: (x, { numpy }) => numpy.sum(x, 0),
    torch: "x.sum(0)",
  }),
  simple({
    name: "sum of rows",
    shape,
    bytes: read,
    descent: (x) => x.sum(1),
    tfjs: (x, tf) => tf.sum(x, 1),
    jax: (x, { numpy }) => numpy.sum(x, 1),
    torch: "x.sum(1)",
  }),
  simple({
    name: "softmax of rows",
    shape,
    bytes: 2 * read,
    descent: (x) => x.softmax(1),
    tfjs: (x, tf) => tf.softmax(x),
    jax: (x, { nn }) => nn.softmax(x, -1),
    torch: "x.softmax(1)",
  }),
  simple({
    name: "layer norm of rows",
    shape,
    bytes: 2 * read,
    descent: (x) => layerNorm(x, [1024]),
    jax: (x, { nn }) => nn.standardize(x, -1),
    torch: "F.layer_norm(x, [1024])",
    missing: { tfjs: "has no layer norm in its core" },
  }),
];
