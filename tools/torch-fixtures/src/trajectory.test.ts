import { expect, test } from "vitest";
import {
  decodeData,
  expectClose,
  gradientAt,
  type LbfgsTrace,
  loadFixtures,
  sparseGradientValues,
  TRAJECTORY_STEPS,
  type Trajectory,
  testFunctions,
} from "./index.ts";

/** SGD in plain arithmetic: enough to prove that both sides see the same gradients, groups and gaps. */
function run(t: Trajectory): void {
  const params = t.params.map((p) => decodeData(p.dtype, p.data));
  const groups = (t.groups ?? [{ params: params.map((_, i) => i), options: {} }]).map((g) => ({
    params: g.params,
    options: {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
      ...t.options,
      ...g.options,
    },
  }));
  const buffers = new Map<number, Float64Array>();
  for (let step = 1; step <= TRAJECTORY_STEPS; step++) {
    for (const edit of t.edits ?? []) {
      if (edit.step === step) Object.assign(groups[edit.group]?.options ?? {}, edit.options);
    }
    for (const { params: members, options: o } of groups) {
      for (const i of members) {
        const raw = gradientAt(t, i, step);
        const p = params[i];
        if (raw === null || p === undefined) continue;
        const g = raw.map((x, k) => (o.maximize ? -x : x) + o.weightDecay * (p[k] as number));
        let d = g;
        if (o.momentum !== 0) {
          const before = buffers.get(i);
          const b = before?.map((x, k) => o.momentum * x + (1 - o.dampening) * (g[k] as number)) ?? g.slice();
          buffers.set(i, b);
          d = o.nesterov ? g.map((x, k) => x + o.momentum * (b[k] as number)) : b;
        }
        for (let k = 0; k < p.length; k++) p[k] = (p[k] as number) - o.lr * (d[k] as number);
      }
    }
    const snapshot = t.snapshots.find((s) => s.step === step);
    snapshot?.params.forEach((data, i) => {
      expectClose(params[i] ?? [], decodeData(t.dtype, data), {
        rtol: 1e-12,
        atol: 1e-15,
        label: `${t.name}, step ${step}`,
      });
    });
  }
}

const cases = loadFixtures<Trajectory>("optim-sgd").filter((t) => t.dtype === "float64");

test.each(cases.map((t) => [t.name, t] as const))("SGD %s", (_, t) => {
  run(t);
  expect(t.snapshots.map((s) => s.step)).toEqual([1, 2, 3, 5, 10, 25, 50, 75, 100]);
});

test("plain SGD over sparse gradients", () => {
  const t = loadFixtures<Trajectory>("optim-sparse").find((c) => c.optimizer === "SGD" && c.options.lr === 0.01);
  if (t === undefined) throw new Error("no such case");
  const params = t.params.map((p) => decodeData(p.dtype, p.data));
  for (let step = 1; step <= TRAJECTORY_STEPS; step++) {
    params.forEach((p, i) => {
      const shape = t.params[i]?.shape ?? [];
      const { indices, values } = sparseGradientValues(i, step, shape, t.sparseDims?.[i] ?? 0);
      const entry = shape.slice(indices.length).reduce((a, b) => a * b, 1);
      values.forEach((g, k) => {
        const entryNumber = Math.floor(k / entry);
        const place = indices.reduce((sum, along, d) => sum * (shape[d] ?? 1) + (along[entryNumber] ?? 0), 0);
        const at = place * entry + (k % entry);
        p[at] = (p[at] ?? 0) - 0.01 * g;
      });
    });
    const snapshot = t.snapshots.find((s) => s.step === step);
    snapshot?.params.forEach((data, i) => {
      expectClose(params[i] ?? [], decodeData(t.dtype, data), { rtol: 1e-12, atol: 1e-15, label: `step ${step}` });
    });
  }
});

test("L-BFGS starts where the test functions say", () => {
  for (const t of loadFixtures<LbfgsTrace>("optim-lbfgs")) {
    const at = t.params.flatMap((p) => [...decodeData(p.dtype, p.data)]);
    const calls = t.trace.reduce((sum, step) => sum + step.losses.length, 0);
    expect(t.trace[0]?.losses[0]).toBe(testFunctions[t.function](at).value);
    expect(t.trace.at(-1)?.funcEvals).toBe(calls);
  }
});
