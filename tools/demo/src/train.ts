import { noGrad } from "@descent/autograd";
import { DataLoader, type TensorDataset } from "@descent/data";
import { OneCycleLR } from "@descent/lr-scheduler";
import * as nn from "@descent/nn";
import { Adam } from "@descent/optim";
import { type Tensor, zeros } from "@descent/tensor";

/** Where a run stands; loss, accuracy and speed are those of the steps since the last report. */
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
  /** Asked after every step; true ends the run early. */
  readonly stopped: () => boolean;
}

type Digits = TensorDataset<"x" | "y">;

/** How many rows of `scores` [n, 10] have their largest entry at `y` [n]; 0-d float32. */
const hits = (scores: Tensor, y: Tensor): Tensor => scores.argmax(1).eq(y).to("float32").sum();

/** Adds up what happens in single steps, on the backend: reading every loss would make a fast device wait. */
class Tally {
  readonly #loss = zeros([]);
  readonly #right = zeros([]);
  #batches = 0;
  #samples = 0;
  #since = performance.now();

  add(loss: Tensor, scores: Tensor, y: Tensor): void {
    noGrad(() => {
      this.#loss.add_(loss);
      this.#right.add_(hits(scores, y));
    });
    this.#batches++;
    this.#samples += y.size;
  }

  /** Averages since the last call. */
  async take(): Promise<Pick<Progress, "loss" | "accuracy" | "samplesPerSecond">> {
    const [loss, right] = [await this.#loss.item(), await this.#right.item()];
    const [batches, samples, since] = [this.#batches, this.#samples, this.#since];
    this.#loss.zero_();
    this.#right.zero_();
    [this.#batches, this.#samples, this.#since] = [0, 0, performance.now()];
    return {
      loss: loss / batches,
      accuracy: right / samples,
      samplesPerSecond: (samples * 1000) / (this.#since - since),
    };
  }
}

/** Trains with Adam on one cycle of the learning rate; returns whether it ran to its end. */
export async function train(model: nn.Module, data: Digits, options: TrainOptions): Promise<boolean> {
  const { epochs, batchSize, seed, maxLr, report, stopped } = options;
  const loader = new DataLoader(data, { batchSize, shuffle: true, seed, dropLast: true });
  const steps = epochs * loader.length;
  const optimizer = new Adam(model.parameters(), { lr: maxLr });
  const scheduler = new OneCycleLR(optimizer, { maxLr, totalSteps: steps, cycleMomentum: false });
  const every = Math.max(1, Math.floor(steps / 100));
  const tally = new Tally();
  let step = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for await (const { x, y } of loader) {
      optimizer.zeroGrad();
      const scores = model.forward(x);
      const loss = nn.crossEntropy(scores, y);
      loss.backward();
      optimizer.step();
      tally.add(loss, scores, y);
      const lr = optimizer.paramGroups[0]?.lr ?? 0;
      scheduler.step();
      step++;
      const stop = stopped();
      if (step % every === 0 || step === steps || stop)
        await report({ step, steps, epoch, lr, ...(await tally.take()) });
      if (stop) return false;
    }
  }
  return true;
}

/** Share of `data` that `model` gets right. */
export async function evaluate(model: nn.Module, data: Digits): Promise<number> {
  model.eval();
  let right = 0;
  for await (const { x, y } of new DataLoader(data, { batchSize: 1000 }))
    right += await noGrad(() => hits(model.forward(x), y)).item();
  model.train();
  return right / data.length;
}
