import { grad, gradcheck, variable } from "@descent/autograd";
import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { decodeData, expectClose, isRawTensor, loadFixtures, type RawTensor } from "torch-fixtures";
import { describe, expect, test } from "vitest";
import * as optim from "./index.ts";

await use(backendUnderTest());

type AnyOptimizer = optim.SingleOptimizer<Record<string, unknown>>;
const make = (name: string, params: unknown, options: object): AnyOptimizer =>
  new (optim as unknown as Record<string, new (p: unknown, o: object) => AnyOptimizer>)[name]!(params, options);

interface Case {
  readonly optimizer: string;
  readonly name: string;
  readonly kind: "step" | "hyperparameters";
  readonly options: Record<string, unknown>;
  readonly param: RawTensor;
  readonly weights: RawTensor;
  readonly loss: number;
  readonly after: RawTensor;
  readonly gradParam: RawTensor;
  readonly grad: RawTensor;
  readonly state: Record<string, RawTensor>;
  readonly stateAfter: Record<string, RawTensor>;
  readonly gradGrad: RawTensor;
  readonly gradState: Record<string, RawTensor>;
  readonly curvature: RawTensor;
  readonly hyper: Record<string, number | number[]>;
  readonly gradHyper: Record<string, number | number[]>;
}

const values = (raw: RawTensor) => decodeData("float64", raw.data) as Float64Array;
const leaf = (x: RawTensor | number) =>
  variable(typeof x === "number" ? tensor(x, { dtype: "float64" }) : tensor(values(x)));
const exact = { rtol: 1e-10, atol: 1e-12 };
const close = (found: Tensor | null, raw: RawTensor | number[] | number, label: string, tolerance = exact) => {
  const expected = isRawTensor(raw) ? values(raw) : [raw].flat();
  expectClose(found!.dataSync(), expected, { ...tolerance, label });
};
const cases = loadFixtures<Case>("optim-meta");
const of = (kind: Case["kind"]) =>
  cases.filter((c) => c.kind === kind).map((c) => [`${c.optimizer} ${c.name}`, c] as const);

/** One recorded step, from leaves: what comes out, and the loss that was differentiated. */
function step(c: Case, p: Tensor, g: Tensor, state: Record<string, Tensor>) {
  const scalars = Object.entries(c.state).filter(([, raw]) => raw.shape.length === 0);
  const optimizer = make(c.optimizer, [p], { ...c.options, differentiable: true });
  optimizer.state.set(p, { ...Object.fromEntries(scalars.map(([k, raw]) => [k, Number(raw.data[0])])), ...state });
  p.grad = g;
  optimizer.step();
  const [after] = optimizer.paramGroups[0]!.params as [Tensor];
  return { after, state: optimizer.state.get(after) ?? {} };
}

describe("one step, differentiated, as PyTorch", () => {
  test.each(of("step"))("%s", (_, c) => {
    const [p, g] = [leaf(c.param), leaf(c.grad)];
    const names = Object.keys(c.gradState);
    const state = Object.fromEntries(names.map((name) => [name, leaf(c.state[name]!)]));
    const result = step(c, p, g, state);
    close(result.after, c.after, "after");
    const weights = tensor(values(c.weights));
    const reversed = tensor(values(c.weights).slice().reverse());
    let loss = weights.mul(result.after).sum();
    for (const name of Object.keys(c.stateAfter)) {
      const after = result.state[name] as Tensor;
      close(after, c.stateAfter[name]!, name);
      loss = loss.add(reversed.mul(after).sum());
    }
    close(loss, c.loss, "loss");
    const leaves = [p, g, ...names.map((name) => state[name]!)];
    const found = grad(loss, leaves, { allowUnused: true });
    [c.gradParam, c.gradGrad, ...names.map((name) => c.gradState[name]!)].forEach((raw, i) => {
      // PyTorch gives null, we may give zeros, for what the result does not depend on.
      if (raw === null) expect(found[i]?.dataSync().every((x) => x === 0) ?? true).toBe(true);
      else close(found[i]!, raw, `gradient ${i}`);
    });
  });
});

describe("two steps, differentiated by hyperparameters, as PyTorch", () => {
  test.each(of("hyperparameters"))("%s", (_, c) => {
    // With betas that are plain numbers, PyTorch computes 1 − βᵗ of a differentiable step in float32.
    const tolerance = c.optimizer !== "SGD" && !("betas" in c.hyper) ? { rtol: 1e-3, atol: 1e-4 } : exact;
    const p = leaf(c.param);
    const hyper = Object.entries(c.hyper).map(([k, v]) => [k, Array.isArray(v) ? v.map(leaf) : leaf(v)] as const);
    const optimizer = make(c.optimizer, [p], { ...c.options, ...Object.fromEntries(hyper), differentiable: true });
    const curvature = tensor(values(c.curvature));
    for (let i = 0; i < 2; i++) {
      const [now] = optimizer.paramGroups[0]!.params as [Tensor];
      now.grad = curvature.mul(now);
      optimizer.step();
    }
    const [after] = optimizer.paramGroups[0]!.params as [Tensor];
    close(after, c.after, "after", tolerance);
    const loss = tensor(values(c.weights)).mul(after).sum();
    const found = grad(loss, [p, ...hyper.flatMap(([, v]) => v)]);
    close(found[0]!, c.gradParam, "gradient", tolerance);
    hyper
      .flatMap(([k, v]) => [v].flat().map((_, i) => [c.gradHyper[k]!].flat()[i]!))
      .forEach((expected, i) => {
        close(found[i + 1]!, expected, `hyperparameter ${i}`, tolerance);
      });
  });
});

test.each(of("step"))("gradcheck: %s", async (_, c) => {
  const names = Object.keys(c.gradState);
  const inputs = [leaf(c.param), leaf(c.grad), ...names.map((name) => leaf(c.state[name]!))];
  const f = (...[p, g, ...state]: Tensor[]) => {
    const result = step(c, p!, g!, Object.fromEntries(names.map((name, i) => [name, state[i]!])));
    return [result.after, ...names.map((name) => result.state[name] as Tensor)];
  };
  await gradcheck(f as never, inputs);
});
