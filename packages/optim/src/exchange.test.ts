import { backendUnderTest } from "backend-under-test";
import { decodeData, expectClose, isRawTensor, loadFixtures, type RawNumber, type Trajectory } from "torch-fixtures";
import { expect, test } from "vitest";
import { exchanged, runHere } from "./testing/exchange.ts";

/**
 * States saved here after 50 steps, and how PyTorch went on from them (tools/torch-fixtures/exchange.py): it must reach what a run
 * here reaches without a break. The other direction is in trajectories.test.ts.
 */
type Recorded = Omit<Trajectory, "saved"> & {
  readonly saved: {
    readonly step: number;
    readonly params: RawNumber[][];
    readonly stateDict: Trajectory["stateDict"];
  };
};
const recorded = loadFixtures<Recorded>("optim-exchange");

/** As in trajectories.test.ts: PyTorch counts in float32 for ASGD and NAdam, and Muon's iteration is in bfloat16. */
const within = ({ optimizer, dtype, options }: Trajectory) => {
  if (optimizer === "Muon") return { rtol: 0, atol: 0.06 * ((options.lr as number | undefined) ?? 1e-3) };
  if (optimizer === "ASGD" || optimizer === "NAdam") return { rtol: 5e-7, atol: 1e-7 };
  return dtype === "float64" ? { rtol: 1e-12, atol: 1e-14 } : { rtol: 2e-6, atol: 1e-6 };
};

/** Every number in a state, in order, and everything else as text. */
function flat(value: unknown): { numbers: number[]; rest: string } {
  const numbers: number[] = [];
  const rest = JSON.stringify(value, (_, x) => {
    if (isRawTensor(x)) {
      numbers.push(...decodeData(x.dtype, x.data));
      return { dtype: x.dtype, shape: x.shape };
    }
    if (typeof x !== "number") return x;
    numbers.push(x);
    return "number";
  });
  return { numbers, rest };
}

const backend = await backendUnderTest();
test.each(exchanged.map((t) => [`${t.optimizer} ${t.dtype}`, t] as const))("PyTorch goes on from %s", (_, t) => {
  const case_ = recorded.find((c) => c.optimizer === t.optimizer && c.dtype === t.dtype)!;
  const { saved, later } = runHere(t, backend);
  // The state that PyTorch was given is the one saved today.
  const [now, then] = [flat(saved.stateDict), flat(case_.saved.stateDict)];
  expect(now.rest).toBe(then.rest);
  expectClose(now.numbers, then.numbers, { ...within(t), label: "state" });
  expect(case_.snapshots.map(({ step }) => step)).toEqual([...later.keys()]);
  for (const { step, params } of case_.snapshots) {
    for (const [i, data] of params.entries()) {
      const here = decodeData(t.dtype, later.get(step)![i]!);
      expectClose(here, decodeData(t.dtype, data), { ...within(t), label: `step ${step}, parameter ${i}` });
    }
  }
});
