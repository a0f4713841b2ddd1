import { matmul, permute, randn, type Tensor } from "@descent/tensor";
import { type JaxModule, waitedFor } from "../peers/jax.ts";
import type { TfTensor } from "../peers/tfjs.ts";
import { freed, kept } from "../prepare.ts";
import type { Family, Prepared, Task } from "../task.ts";

const sizes = [127, 255, 256, 512, 1003, 1024];
/** Which operand is a transposed view: N neither, T that one. */
const kinds = ["NN", "NT", "TN"] as const;

/** Matrix products, square, of sizes that fit blocks and sizes that do not, each as it comes in a layer's forward and backward. */
export const contract: Family = () => sizes.flatMap((n) => kinds.map((kind) => product(n, kind)));

function product(n: number, kind: (typeof kinds)[number]): Task {
  const [left, right] = [kind[0] === "T", kind[1] === "T"];
  const swapped = (x: Tensor, swap: boolean) => (swap ? permute(x, [1, 0]) : x);
  return {
    name: `${kind} ${n} × ${n} × ${n}`,
    flops: 2 * n ** 3,
    heavy: n > 256,
    descent: () => {
      const [a, b] = kept(randn([n, n]), randn([n, n]));
      return freed([a, b], () => matmul(swapped(a, left), swapped(b, right)));
    },
    tfjs: (tf) => {
      const [a, b] = [tf.randomNormal([n, n]), tf.randomNormal([n, n])] as [TfTensor, TfTensor];
      return { run: () => tf.matMul(a, b, left, right).dispose(), dispose: () => [a, b].map((x) => x.dispose()) };
    },
    jax: (jax) => jaxProduct(jax, n, left, right),
    torch: {
      setup: `a, b = torch.randn(${n}, ${n}), torch.randn(${n}, ${n})`,
      run: `a${left ? ".T" : ""} @ b${right ? ".T" : ""}`,
    },
  };
}

/** A product of two square matrices in jax-js, either of them a transposed view. */
export function jaxProduct(jax: JaxModule, n: number, left: boolean, right: boolean): Prepared {
  const { numpy, jit, random } = jax;
  const [a, b] = [0, 1].map((key) => random.normal(random.key(key), [n, n]));
  const t = (x: unknown, swap: boolean) => (swap ? numpy.transpose(x) : x);
  const f = jit((x: unknown, y: unknown) => numpy.matmul(t(x, left), t(y, right)));
  return { ...waitedFor(() => f(a.ref, b.ref)), dispose: () => [a, b].map((x) => x.dispose()) };
}
