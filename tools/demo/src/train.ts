import { noGrad } from "@descent/autograd";
import { DataLoader, type TensorDataset } from "@descent/data";
import { OneCycleLR } from "@descent/lr-scheduler";
import * as nn from "@descent/nn";
import { Adam } from "@descent/optim";
import type { Tensor } from "@descent/tensor";

/** Where a run stands: averages since the last report. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly lr: number;
  readonly samplesPerSecond: number;
}

export interface TrainOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  /** The highest learning rate of the cycle. */
  readonly maxLr: number;
  /** Told about 100 times; the run waits for what it returns. */
  readonly report: (progress: Progress) => void | Promise<void>;
  /** Asked after every report; true ends the run early. */
  readonly stopped: () => boolean;
}

type Digits = TensorDataset<"x" | "y">;

/** Share of rows of `scores` [n, 10] whose largest entry is at `y` [n]; 0-d. */
const accuracyOf = (scores: Tensor, y: Tensor): Tensor => noGrad(() => scores.argmax(1).eq(y).to("float32").mean());

/** Trains with Adam on one cycle of the learning rate. Reports about 100 times; returns whether it ran to its end. */
export async function train(model: nn.Module, data: Digits, options: TrainOptions): Promise<boolean> {
  const { epochs, batchSize, seed, maxLr, report, stopped } = options;
  const loader = new DataLoader(data, { batchSize, shuffle: true, seed, dropLast: true });
  const steps = epochs * loader.length;
  const optimizer = new Adam(model.parameters(), { lr: maxLr });
  const scheduler = new OneCycleLR(optimizer, { maxLr, totalSteps: steps, cycleMomentum: false });
  const every = Math.max(1, Math.floor(steps / 100));
  let step = 0;
  let last = performance.now();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for await (const { x, y } of loader) {
      optimizer.zeroGrad();
      const scores = model.forward(x);
      const loss = nn.crossEntropy(scores, y);
      loss.backward();
      optimizer.step();
      const lr = optimizer.paramGroups[0]?.lr ?? 0;
      scheduler.step();
      if (++step % every !== 0 && step < steps) continue;
      const [lossValue, accuracy] = [await loss.item(), await accuracyOf(scores, y).item()];
      const now = performance.now();
      const samplesPerSecond = (every * batchSize * 1000) / (now - last);
      last = now;
      await report({ step, steps, epoch, loss: lossValue, accuracy, lr, samplesPerSecond });
      if (stopped()) return false;
    }
  }
  return true;
}

/** Share of `data` that `model` gets right. */
export async function evaluate(model: nn.Module, data: Digits): Promise<number> {
  model.eval();
  let right = 0;
  for await (const { x, y } of new DataLoader(data, { batchSize: 1000 })) {
    right +=
      (await accuracyOf(
        noGrad(() => model.forward(x)),
        y,
      ).item()) * (x.shape[0] as number);
  }
  model.train();
  return right / data.length;
}
