import { expect, test } from "vitest";
import { decodeData, expectClose, gradientAt, loadFixtures, TRAJECTORY_STEPS, type Trajectory } from "./index.ts";

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
