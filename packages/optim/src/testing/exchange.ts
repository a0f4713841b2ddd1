import { type Backend, Tensor } from "@descent/tensor";
import { loadFixtures, type RawNumber, TRAJECTORY_STEPS, type Trajectory } from "torch-fixtures";
import type { StateDict } from "../index.ts";
import { gradient, make, parameter } from "./trajectory.ts";

/** The runs whose state goes to PyTorch after step 50. */
export const exchanged: readonly Trajectory[] =
  "sgd adam adamw adamax adadelta adagrad asgd nadam radam rmsprop rprop adafactor muon"
    .split(" ")
    .flatMap((file) => loadFixtures<Trajectory>(`optim-${file}`))
    .filter(({ name, dtype, optimizer }) => name === "saved halfway" && (dtype === "float64" || optimizer === "Adam"));

const numbers = (t: Tensor): RawNumber[] => Array.from(t.dataSync(), (x) => (Object.is(x, -0) ? "-0" : x));

/** A state as JSON that `exchange.py` reads: tensors with dtype and shape, everything else as it is. */
const plain = (value: unknown): unknown => {
  if (value instanceof Tensor) return { dtype: value.dtype, shape: value.shape, data: numbers(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, x]) => [key, plain(x)]));
};

/** Runs `t` here: the state and the parameters after step 50 as JSON, and the parameters of the later snapshots. */
export function runHere(t: Trajectory, backend: Backend) {
  const params = t.params.map((raw) => parameter(raw, backend));
  const optimizer = make(t.optimizer, params, t.options);
  const { step: half } = t.saved!;
  let saved: { step: number; params: RawNumber[][]; stateDict: StateDict } | null = null;
  const later = new Map<number, RawNumber[][]>();
  for (let step = 1; step <= TRAJECTORY_STEPS; step++) {
    params.forEach((p, i) => {
      p.grad = gradient(t, p, i, step);
    });
    optimizer.step();
    if (step === half)
      saved = { step, params: params.map(numbers), stateDict: plain(optimizer.stateDict()) as StateDict };
    if (step > half && t.snapshots.some((s) => s.step === step)) later.set(step, params.map(numbers));
  }
  return { saved: saved!, later };
}
