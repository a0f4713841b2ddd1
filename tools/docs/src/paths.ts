import { cpu } from "@descent/backend-cpu";
import * as optim from "@descent/optim";
import { keep, runtimeOf, SparseTensor, type Tensor, tensor } from "@descent/tensor";
import type { Surface } from "./surfaces.ts";

const backend = cpu();
type Point = readonly [number, number];
type Make = (params: Tensor[]) => optim.Optimizer<object>;

/** Every optimizer as it is drawn: with a learning rate that suits these functions. */
export const makes: Readonly<Record<string, { readonly title: string; readonly make: Make }>> = {
  sgd: { title: "SGD lr 1e-3", make: (p) => new optim.SGD(p, { lr: 1e-3 }) },
  momentum: { title: "SGD lr 3e-4, momentum 0.9", make: (p) => new optim.SGD(p, { lr: 3e-4, momentum: 0.9 }) },
  adam: { title: "Adam lr 0.1", make: (p) => new optim.Adam(p, { lr: 0.1 }) },
  "adam-w": { title: "AdamW lr 0.1, weightDecay 0.1", make: (p) => new optim.AdamW(p, { lr: 0.1, weightDecay: 0.1 }) },
  "sparse-adam": { title: "SparseAdam lr 0.1", make: (p) => new optim.SparseAdam(p, { lr: 0.1 }) },
  adamax: { title: "Adamax lr 0.2", make: (p) => new optim.Adamax(p, { lr: 0.2 }) },
  adadelta: { title: "Adadelta lr 5", make: (p) => new optim.Adadelta(p, { lr: 5 }) },
  adagrad: { title: "Adagrad lr 0.5", make: (p) => new optim.Adagrad(p, { lr: 0.5 }) },
  asgd: { title: "ASGD lr 1e-3", make: (p) => new optim.ASGD(p, { lr: 1e-3 }) },
  nadam: { title: "NAdam lr 0.1", make: (p) => new optim.NAdam(p, { lr: 0.1 }) },
  radam: { title: "RAdam lr 0.1", make: (p) => new optim.RAdam(p, { lr: 0.1 }) },
  rmsprop: { title: "RMSprop lr 0.02", make: (p) => new optim.RMSprop(p, { lr: 0.02 }) },
  rprop: { title: "Rprop lr 0.1", make: (p) => new optim.Rprop(p, { lr: 0.1 }) },
  adafactor: { title: "Adafactor lr 0.05", make: (p) => new optim.Adafactor(p, { lr: 0.05 }) },
  muon: { title: "Muon lr 0.03", make: (p) => new optim.Muon(p, { lr: 0.03, weightDecay: 0 }) },
  lbfgs: {
    title: "LBFGS, strong Wolfe, an iteration per step",
    make: (p) => new optim.LBFGS(p, { lineSearchFn: "strong_wolfe", maxIter: 1, maxEval: 20 }),
  },
};

/** The points that an optimizer goes through from the start of a surface; it stops where it leaves for good. */
export function follow(make: Make, { start, gradient, value }: Surface, steps = 300): Point[] {
  const options = { dtype: "float64", backend } as const;
  const p = keep(tensor([[...start]], options)); // a matrix, for Muon
  const optimizer = make([p]);
  const read = () => [...p.dataSync()] as unknown as Point;
  const fill = () => {
    const at = read();
    const g = tensor([[...gradient(...at)]], options);
    const row = () => tensor([[0]], { dtype: "int64", backend });
    p.grad = optimizer.name === "SparseAdam" ? new SparseTensor(row(), g, [1, 2]) : g;
    return value(...at);
  };
  const points = [read()];
  for (let step = 0; step < steps; step++) {
    if (!optimizer.needsClosure) fill();
    optimizer.step(optimizer.needsClosure ? fill : undefined);
    const now = read();
    if (!now.every((x) => Math.abs(x) < 100)) break;
    points.push(now);
  }
  runtimeOf(backend).memory.endStep();
  return points;
}
