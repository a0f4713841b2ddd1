import { Parameter } from "@descent/nn";
import { dispose, embedding as look, ones, randint, randn, scope } from "@descent/tensor";
import { type JaxModule, waitedFor } from "../peers/jax.ts";
import { freed, kept } from "../prepare.ts";
import type { Family, Prepared } from "../task.ts";

const [rows, width, count] = [10_000, 128, 8192];
const bytes = 8 * width * count;
const setup = `w = torch.randn(${rows}, ${width}, requires_grad=True); i = torch.randint(0, ${rows}, (${count},)); g = torch.ones(${count}, ${width})`;

/** Runs a jitted function of a table and indices. */
function inJax(jax: JaxModule, f: (w: unknown, i: unknown) => unknown): Prepared {
  const { numpy, random, jit } = jax;
  const w = random.normal(random.key(0), [rows, width]);
  const i = numpy.array(Int32Array.from({ length: count }, () => Math.floor(Math.random() * rows)));
  const jitted = jit(f);
  return { ...waitedFor(() => jitted(w.ref, i.ref)), dispose: () => [w, i].map((one) => one.dispose()) };
}

/** Rows of a table by index, and their gradient: a sum into a table of zeros. */
export const embeddings: Family = () => [
  {
    name: `gather ${count} rows of ${width}`,
    bytes,
    descent: () => {
      const [w, i] = kept(randn([rows, width]), randint(0, rows, [count]));
      return freed([w, i], () => look(i, w));
    },
    tfjs: (tf) => {
      const [w, i] = [tf.randomNormal([rows, width]), tf.randomUniformInt([count], 0, rows)];
      return { run: () => tf.gather(w, i).dispose(), dispose: () => tf.dispose([w, i]) };
    },
    torch: { setup, run: "F.embedding(i, w.detach())" },
    jax: (module) => inJax(module, (w, i) => module.numpy.take(w, i, 0)),
  },
  {
    name: `gather and scatter ${count} rows of ${width}`,
    bytes: 2 * bytes + 4 * rows * width,
    descent: () => {
      const w = new Parameter(randn([rows, width]));
      const [i, g] = kept(randint(0, rows, [count]), ones([count, width]));
      const run = () => {
        using _ = scope();
        w.grad = null;
        look(i, w).backward(g);
      };
      return { run, dispose: () => dispose(i, g, w) };
    },
    torch: { setup, run: "w.grad = None; F.embedding(i, w).backward(g)" },
    missing: { tfjs: "UnsortedSegmentSum is missing on its wasm backend", jax: "cannot scatter in jit" },
  },
];
