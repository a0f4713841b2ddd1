import * as nn from "@descent/nn";
import { Adam } from "@descent/optim";
import { capture, dispose, randint, randn, steps, type Tensor } from "@descent/tensor";
import { kept } from "../prepare.ts";
import type { Family, Prepared, Task } from "../task.ts";
import { jaxStep } from "./training-jax.ts";
import { tfjsStep } from "./training-tfjs.ts";

export interface Net {
  readonly name: string;
  readonly batch: number;
  readonly input: readonly number[];
  readonly conv: boolean;
  /** Multiplications and additions of one step. */
  readonly flops: number;
  readonly model: () => nn.Module;
  readonly torch: string;
}

export const mlp: Net = {
  name: "MLP 784-256-128-10, batch 128",
  batch: 128,
  input: [784],
  conv: false,
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
  torch: "nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)",
};

export const cnn: Net = {
  name: "CNN 1→32→64 3×3, pools, 3136-128-10, batch 64",
  batch: 64,
  input: [1, 28, 28],
  conv: true,
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
  torch: `nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)`,
};

/** A whole training step: forward, cross-entropy, backward, Adam. */
export function descentStep(net: Net, captured: boolean): Prepared {
  const model = net.model();
  const optimizer = new Adam(model.parameters());
  const [x, y] = kept(randn([net.batch, ...net.input]), randint(0, 10, [net.batch]));
  const step = (x: Tensor, y: Tensor) => {
    optimizer.zeroGrad();
    const loss = nn.crossEntropy(model.forward(x) as Tensor, y);
    loss.backward();
    optimizer.step();
  };
  const run = captured ? capture(step) : step;
  // As in any training loop, every step is an iteration: what it made is given back while it is still in the caches.
  const loop = steps(Number.POSITIVE_INFINITY)[Symbol.iterator]();
  return {
    run() {
      loop.next();
      run(x, y);
    },
    dispose() {
      loop.return?.();
      dispose(x, y);
    },
  };
}

const task = (net: Net, captured: boolean): Task => ({
  name: captured ? `${net.name}, captured` : net.name,
  flops: net.flops,
  heavy: net.conv,
  descent: () => descentStep(net, captured),
  ...(net.conv ? { missing: { tfjs: "Conv2DBackpropFilter is missing on its wasm backend" } } : { tfjs: tfjsStep }),
  // A convolution takes jax-js seconds: once is enough.
  ...(net.conv && captured ? {} : { jax: (jax) => jaxStep(jax, net) }),
  torch: {
    setup: `m = nn.Sequential(${net.torch})
o = torch.optim.Adam(m.parameters(), fused=True)
x, y = torch.randn(${[net.batch, ...net.input].join(", ")}), torch.randint(0, 10, (${net.batch},))
def step():
    o.zero_grad()
    F.cross_entropy(m(x), y).backward()
    o.step()`,
    run: "step()",
  },
});

/** Eager steps, and the same steps captured (what jax-js calls jit), each beside the peers. */
export const training: Family = () => [task(mlp, false), task(mlp, true), task(cnn, false), task(cnn, true)];
