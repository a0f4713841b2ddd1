import * as nn from "@descent/nn";

/** Networks from [n, 784] pixels to [n, 10] scores. */
export const models = {
  mlp: () =>
    new nn.Sequential(
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    ),
  cnn: () =>
    new nn.Sequential(
      new nn.Unflatten(1, [1, 28, 28]),
      new nn.Conv2d(1, 32, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(32, 64, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(64 * 7 * 7, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    ),
};

export type ModelName = keyof typeof models;
