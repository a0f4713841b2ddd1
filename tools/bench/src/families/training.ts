import { Adam } from "@descent/optim";
import { capture, dispose, steps, type Tensor } from "@descent/tensor";
import type { JaxModule } from "../peers/jax.ts";
import { currentBackend, kept } from "../prepare.ts";
import type { Family, Prepared, Task } from "../task.ts";
import { cnn, mlp, type Net } from "./nets.ts";
import { jaxStep } from "./training-jax.ts";
import { tfjsStep } from "./training-tfjs.ts";
import { transformer } from "./transformer.ts";

/** A whole training step: forward, loss, backward, Adam. */
export function descentStep({ model: make, data, loss: of }: Net, captured: boolean): Prepared {
  const model = make();
  const optimizer = new Adam(model.parameters());
  const [x, y] = kept(...data());
  const step = (x: Tensor, y: Tensor) => {
    optimizer.zeroGrad();
    const loss = of(model.forward(x) as Tensor, y);
    loss.backward();
    optimizer.step();
  };
  const replayed = captured ? capture(step) : null;
  const run = replayed ?? step;
  // As in any training loop, every step is an iteration: what it made is given back while it is still in the caches.
  const loop = steps(Number.POSITIVE_INFINITY)[Symbol.iterator]();
  const [probe] = model.parameters() as [Tensor];
  const once = () => {
    loop.next();
    run(x, y);
  };
  // The first calls record; what is measured are replays.
  while (replayed?.counts.replays === 0) once();
  return {
    run: once,
    ...(currentBackend().readSync ? {} : { settle: () => currentBackend().read(probe.storage.block.buffer, 0, 1) }),
    dispose() {
      loop.return?.();
      dispose(x, y);
    },
  };
}

/** Its steps are compiled either way, and most take seconds: once is enough. */
const hasJax = (net: Net, captured: boolean): boolean => captured || net === mlp;

const task = (net: Net, captured: boolean): Task => ({
  name: captured ? `${net.name}, captured` : net.name,
  flops: net.flops,
  heavy: net !== mlp,
  descent: () => descentStep(net, captured),
  ...(net === mlp && { tfjs: tfjsStep }),
  missing: { ...net.missing, ...(hasJax(net, captured) ? {} : { jax: "compiles its steps: see the captured one" }) },
  ...(hasJax(net, captured) && { jax: (jax: JaxModule) => jaxStep(jax, net.jax(jax)) }),
  torch: {
    setup: `${net.torch}
o = torch.optim.Adam(m.parameters(), fused=True)
def step():
    o.zero_grad()
    loss(m(x), y).backward()
    o.step()`,
    run: "step()",
  },
});

const nets = [mlp, cnn, transformer(16)];

/** Eager steps, and the same steps captured (what jax-js calls jit), each beside the peers. */
export const training: Family = () => nets.flatMap((net) => [task(net, false), task(net, true)]);
