import { Parameter } from "@descent/nn";
import { Adam } from "@descent/optim";
import { capture, dispose, randn } from "@descent/tensor";
import { currentBackend } from "../prepare.ts";
import type { Family, Task } from "../task.ts";
import { cnn, mlp } from "./nets.ts";
import { descentStep } from "./training.ts";
import { transformer } from "./transformer.ts";

const ways = [false, true];

/** Steps of many launches over little memory: on Dawn's null backend (`--backend webgpu-null`), what they cost the host. */
export const host: Family = () => [
  ...ways.map((captured) => adam(1000, 100, captured)),
  ...[mlp, cnn, transformer(1)].flatMap((net) =>
    ways.map((captured) => named(net.name, captured, () => descentStep(net, captured))),
  ),
];

const named = (name: string, captured: boolean, descent: Task["descent"]): Task => ({
  name: captured ? `${name}, captured` : name,
  descent,
});

const adam = (tensors: number, length: number, captured: boolean): Task =>
  named(`Adam, ${tensors} tensors of ${length}`, captured, () => {
    const backend = currentBackend();
    const parameters = Array.from({ length: tensors }, () => {
      const p = new Parameter(randn([length]));
      p.grad = randn([length]);
      return p;
    });
    const optimizer = new Adam(parameters);
    const step = () => optimizer.step();
    const run = captured ? capture(step) : step;
    for (let recorded = 0; recorded < 4; recorded++) run();
    const last = parameters.at(-1)!.storage.block.buffer;
    return {
      run,
      ...(backend.readSync ? {} : { settle: () => backend.read(last, 0, 1) }),
      dispose: () => dispose(...parameters),
    };
  });
