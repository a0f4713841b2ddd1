import type { JaxModule } from "../peers/jax.ts";
import type { Prepared } from "../task.ts";
import { adamStep } from "./optimizer.ts";
import type { Net } from "./training.ts";

// biome-ignore lint/suspicious/noExplicitAny: arrays of a library without types here
type Any = any;

/** A whole step in jax-js, compiled as one function. */
export function jaxStep(jax: JaxModule, net: Net): Prepared {
  const { numpy, nn, lax, jit, random, tree, valueAndGrad } = jax;
  const shapes = net.conv
    ? [
        [32, 1, 3, 3],
        [64, 32, 3, 3],
        [3136, 128],
        [128, 10],
      ]
    : [
        [784, 256],
        [256, 128],
        [128, 10],
      ];
  const across = (shape: readonly number[]) => (shape.length === 4 ? [1, shape[0], 1, 1] : [shape[1]]);
  const make = (scale: number) =>
    shapes.flatMap((shape, i) => [
      random.normal(random.key(i), shape).mul(scale / Math.sqrt(shape.at(-2) as number)),
      numpy.zeros(across(shape)),
    ]);
  const layer = (h: Any, p: Any[], i: number) =>
    (shapes[i]?.length === 4 ? lax.convGeneralDilated(h, p[2 * i], [1, 1], "SAME") : numpy.matmul(h, p[2 * i])).add(
      p[2 * i + 1],
    );
  const pool = (h: Any, channels: number, size: number) =>
    numpy.max(h.reshape([net.batch, channels, size / 2, 2, size / 2, 2]), [3, 5]);
  const forward = (p: Any[], x: Any) => {
    if (!net.conv) return layer(nn.relu(layer(nn.relu(layer(x, p, 0)), p, 1)), p, 2);
    const first = pool(nn.relu(layer(x, p, 0)), 32, 28);
    const second = pool(nn.relu(layer(first, p, 1)), 64, 14);
    return layer(nn.relu(layer(second.reshape([net.batch, 3136]), p, 2)), p, 3);
  };
  const loss = (p: Any[], x: Any, y: Any) =>
    nn
      .logSoftmax(forward(p, x), -1)
      .mul(y)
      .sum()
      .mul(-1 / net.batch);
  const adam = adamStep(numpy);
  const step = jit((p: Any[], m: Any[], v: Any[], x: Any, y: Any) => {
    const [value, g] = valueAndGrad(loss)(tree.ref(p), x, y);
    return [value, ...adam(p, m, v, g)];
  });
  const x = random.normal(random.key(9), [net.batch, ...net.input]);
  const y = nn.oneHot(numpy.zeros([net.batch], { dtype: numpy.int32 }), 10);
  let [value, ...state] = [numpy.zeros([]), make(1), make(0), make(0)] as Any[];
  const run = () => {
    value.dispose();
    [value, ...state] = step(...state, x.ref, y.ref);
  };
  return { run, settle: () => value.blockUntilReady(), dispose: () => tree.dispose([value, state, x, y]) };
}
