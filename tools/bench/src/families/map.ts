import { gelu, permute } from "@descent/tensor";
import type { Family } from "../task.ts";
import { simple } from "./simple.ts";

const bytes = 8_000_000;
const shape = [1000, 1000];

/** Element-wise operations over a million elements. */
export const map: Family = () => [
  simple({
    name: "x + 1",
    shape,
    bytes,
    descent: (x) => x.add(1),
    tfjs: (x, tf) => tf.add(x, 1),
    jax: (x) => x.add(1),
    torch: "x + 1",
  }),
  simple({
    name: "x + xᵀ",
    shape,
    bytes: 12_000_000,
    descent: (x) => x.add(permute(x, [1, 0])),
    tfjs: (x, tf) => {
      const t = tf.transpose(x);
      const sum = tf.add(x, t);
      t.dispose();
      return sum;
    },
    jax: (x, { numpy }) => x.ref.add(numpy.transpose(x)),
    torch: "x + x.T",
  }),
  ...(["exp", "tanh", "erf", "sin"] as const).map((name) =>
    simple({
      name,
      shape,
      bytes,
      descent: (x) => x[name](),
      tfjs: (x, tf) => tf[name](x),
      jax: (x, { numpy, lax }) => (name === "erf" ? lax.erf(x) : numpy[name](x)),
      torch: `torch.${name}(x)`,
    }),
  ),
  simple({
    name: "gelu",
    shape,
    bytes,
    descent: (x) => gelu(x),
    jax: (x, { nn }) => nn.gelu(x, { approximate: false }),
    torch: "F.gelu(x)",
    missing: { tfjs: "has no gelu" },
  }),
];
