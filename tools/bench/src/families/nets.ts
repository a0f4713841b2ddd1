import * as nn from "@descent/nn";
import { randint, randn, type Tensor } from "@descent/tensor";
import type { JaxModule } from "../peers/jax.ts";
import type { Task } from "../task.ts";
import { type JaxNet, jaxClassifier } from "./training-jax.ts";

/** A network whose training step is measured, in every library that has one. */
export interface Net {
  readonly name: string;
  /** Multiplications and additions of one step. */
  readonly flops: number;
  readonly model: () => nn.Module;
  /** Input and target of every step. */
  readonly data: () => readonly [Tensor, Tensor];
  readonly loss: (output: Tensor, target: Tensor) => Tensor;
  readonly jax: (jax: JaxModule) => JaxNet;
  /** Python that defines m, x, y and loss. */
  readonly torch: string;
  readonly missing?: Task["missing"];
}

const classifier = (batch: number, input: readonly number[], layers: string) => ({
  data: () => [randn([batch, ...input]), randint(0, 10, [batch])] as const,
  loss: (output: Tensor, target: Tensor) => nn.crossEntropy(output, target),
  torch: `m = nn.Sequential(${layers})
x, y = torch.randn(${[batch, ...input].join(", ")}), torch.randint(0, 10, (${batch},))
loss = F.cross_entropy`,
});

export const mlp: Net = {
  name: "MLP 784-256-128-10, batch 128",
  // The first layer has no gradient by its input.
  flops: 2 * 128 * (2 * 784 * 256 + 3 * 256 * 128 + 3 * 128 * 10),
  model: () =>
    new nn.Sequential(
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    ),
  ...classifier(128, [784], "nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)"),
  jax: (jax) =>
    jaxClassifier(
      jax,
      128,
      [784],
      [
        [784, 256],
        [256, 128],
        [128, 10],
      ],
    ),
};

export const cnn: Net = {
  name: "CNN 1→32→64 3×3, pools, 3136-128-10, batch 64",
  flops: 2 * 64 * (2 * 784 * 32 * 9 + 3 * 196 * 64 * 288 + 3 * 3136 * 128 + 3 * 128 * 10),
  model: () =>
    new nn.Sequential(
      new nn.Conv2d(1, 32, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(32, 64, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(3136, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    ),
  ...classifier(
    64,
    [1, 28, 28],
    `nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)`,
  ),
  jax: (jax) =>
    jaxClassifier(
      jax,
      64,
      [1, 28, 28],
      [
        [32, 1, 3, 3],
        [64, 32, 3, 3],
        [3136, 128],
        [128, 10],
      ],
    ),
  missing: { tfjs: "has no Conv2DBackpropFilter on its wasm backend" },
};
