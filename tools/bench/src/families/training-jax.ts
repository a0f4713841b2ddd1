import type { JaxModule } from "../peers/jax.ts";
import type { Prepared } from "../task.ts";
import { adamStep } from "./optimizer.ts";

// biome-ignore lint/suspicious/noExplicitAny: arrays of a library without types here
export type Any = any;

/** A network in jax-js: its parameters, what a step is given, and its loss, which consumes all three. */
export interface JaxNet {
  readonly parameters: Any[];
  readonly x: Any;
  readonly y: Any;
  readonly loss: (parameters: Any[], x: Any, y: Any) => Any;
}

/** Weights of a layer and its bias. */
export const jaxLayer = ({ numpy, random }: JaxModule, key: number, shape: readonly number[]): Any[] => [
  random.normal(random.key(key), shape).mul(1 / Math.sqrt(shape.at(-2) as number)),
  numpy.zeros(shape.length === 4 ? [1, shape[0], 1, 1] : [shape[1]]),
];

/** Convolutions with pools behind them, then dense layers, with ReLUs between all; cross-entropy over ten classes. */
export function jaxClassifier(
  jax: JaxModule,
  batch: number,
  input: readonly number[],
  shapes: readonly (readonly number[])[],
): JaxNet {
  const { numpy, nn, lax, random } = jax;
  const pool = (h: Any) => {
    const [n, channels, size] = h.shape;
    return numpy.max(h.reshape([n, channels, size / 2, 2, size / 2, 2]), [3, 5]);
  };
  const forward = (p: Any[], x: Any) =>
    shapes.reduce((given: Any, shape, i) => {
      const [w, b] = [p[2 * i], p[2 * i + 1]];
      if (shape.length === 4) return pool(nn.relu(lax.convGeneralDilated(given, w, [1, 1], "SAME").add(b)));
      const h = given.shape.length === 4 ? given.reshape([batch, shape[0]]) : given;
      const sum = numpy.matmul(h, w).add(b);
      return i < shapes.length - 1 ? nn.relu(sum) : sum;
    }, x);
  return {
    parameters: shapes.flatMap((shape, i) => jaxLayer(jax, i, shape)),
    x: random.normal(random.key(9), [batch, ...input]),
    y: nn.oneHot(numpy.zeros([batch], { dtype: numpy.int32 }), 10),
    loss: (p, x, y) =>
      nn
        .logSoftmax(forward(p, x), -1)
        .mul(y)
        .sum()
        .mul(-1 / batch),
  };
}

/** A whole step in jax-js, compiled as one function. */
export function jaxStep(jax: JaxModule, { parameters, x, y, loss }: JaxNet): Prepared {
  const { numpy, jit, tree, valueAndGrad } = jax;
  const adam = adamStep(numpy);
  const step = jit((p: Any[], m: Any[], v: Any[], x: Any, y: Any) => {
    const [value, g] = valueAndGrad(loss)(tree.ref(p), x, y);
    return [value, ...adam(p, m, v, g)];
  });
  const moments = () => parameters.map(({ shape }) => numpy.zeros(shape));
  let [value, ...state] = [numpy.zeros([]), parameters, moments(), moments()] as Any[];
  const run = () => {
    value.dispose();
    [value, ...state] = step(...state, x.ref, y.ref);
  };
  return { run, settle: () => value.blockUntilReady(), dispose: () => tree.dispose([value, state, x, y]) };
}
