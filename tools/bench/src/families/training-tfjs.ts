import type { TfModule, TfTensor } from "../peers/tfjs.ts";
import type { Prepared } from "../task.ts";

/** The MLP's step in TensorFlow.js. */
export function tfjsStep(tf: TfModule): Prepared {
  const sizes = [784, 256, 128, 10];
  const layers = sizes.slice(1).map((to, i): [TfTensor, TfTensor] => {
    const from = sizes[i] as number;
    return [tf.variable(tf.randomNormal([from, to], 0, 1 / Math.sqrt(from))), tf.variable(tf.zeros([to]))];
  });
  const x = tf.randomNormal([128, 784]);
  const y = tf.cast(tf.oneHot(tf.randomUniformInt([128], 0, 10), 10), "float32");
  const optimizer = tf.train.adam(1e-3);
  const loss = () => {
    const scores = layers.reduce((h, [w, b], i) => {
      const sum = tf.add(tf.matMul(h, w), b);
      return i < 2 ? tf.relu(sum) : sum;
    }, x);
    return tf.losses.softmaxCrossEntropy(y, scores);
  };
  const run = () => tf.tidy(() => optimizer.minimize(loss));
  return { run, dispose: () => tf.dispose([x, y, ...layers.flat()]) };
}
