import { Parameter } from "@descent/nn";
import { Adam } from "@descent/optim";
import { dispose, randn } from "@descent/tensor";
import type { TfTensor } from "../peers/tfjs.ts";
import type { Family, Task } from "../task.ts";

/** A whole Adam step: reads gradient, parameter and two moments, writes all but the gradient. */
export const optimizer: Family = () => [adam(100, 100_000), adam(20, 50)];

function adam(tensors: number, length: number): Task {
  return {
    name: `Adam, ${tensors} tensors of ${length}`,
    bytes: 28 * tensors * length,
    descent: () => {
      const parameters = Array.from({ length: tensors }, () => {
        const p = new Parameter(randn([length]));
        p.grad = randn([length]);
        return p;
      });
      const optimizer = new Adam(parameters);
      return { run: () => optimizer.step(), dispose: () => dispose(...parameters) };
    },
    tfjs: (tf) => {
      const variables = Array.from({ length: tensors }, (_, i) =>
        tf.variable(tf.randomNormal([length]), true, `p${tensors}.${i}`),
      );
      const gradients = Object.fromEntries(variables.map((v) => [v.name, tf.randomNormal([length])]));
      const optimizer = tf.train.adam(1e-3);
      const dispose = () => [...variables, ...Object.values<TfTensor>(gradients)].map((x) => x.dispose());
      return { run: () => tf.tidy(() => optimizer.applyGradients(gradients)), dispose };
    },
    jax: (jax) => {
      const { jit, numpy, random, tree } = jax;
      const fill = () => Array.from({ length: tensors }, (_, i) => random.normal(random.key(i), [length]));
      const step = jit(adamStep(numpy));
      const g = fill();
      let state = [fill(), fill(), fill().map((v) => numpy.square(v))];
      const run = () => {
        state = step(...state, tree.ref(g));
      };
      return { run, settle: () => jax.blockUntilReady(state), dispose: () => tree.dispose([state, g]) };
    },
    torch: {
      setup: `ps = [nn.Parameter(torch.randn(${length})) for _ in range(${tensors})]
for p in ps: p.grad = torch.randn_like(p)
o = torch.optim.Adam(ps, fused=True)`,
      run: "o.step()",
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: arrays of a library without types here
type Any = any;

/** Adam in jax-js, without bias correction; consumes what it is given. */
export const adamStep =
  (numpy: Any) =>
  (p: Any[], m: Any[], v: Any[], g: Any[]): [Any[], Any[], Any[]] => {
    const m2 = m.map((x, i) => x.mul(0.9).add(g[i].ref.mul(0.1)));
    const v2 = v.map((x, i) => x.mul(0.999).add(g[i].ref.mul(g[i]).mul(0.001)));
    const p2 = p.map((x, i) => x.sub(m2[i].ref.div(numpy.sqrt(v2[i].ref).add(1e-8)).mul(1e-3)));
    return [p2, m2, v2];
  };
