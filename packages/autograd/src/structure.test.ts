import { type Backend, type Tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { ramp, square } from "./derivatives/values.ts";
import { grad, variable } from "./index.ts";

let labels: string[] = [];

/** The backend, noting every launch. */
const noting = (inner: Backend): Backend => ({
  ...inner,
  launch(launch) {
    labels.push(launch.label);
    inner.launch(launch);
  },
});

await use(noting(await backendUnderTest()));

/** What `f` launches. */
function launches(f: () => unknown): string[] {
  labels = [];
  f();
  return labels;
}

describe("launches", () => {
  const rows: readonly (readonly [string, (x: Tensor) => Tensor, string[], string[]])[] = [
    ["softmax", (x) => x.softmax(-1), ["softmax"], ["softmaxBackward"]],
    ["softmax over an axis in front", (x) => x.softmax(0), ["softmax"], ["softmaxBackward"]],
    ["logSoftmax", (x) => x.logSoftmax(1), ["logSoftmax"], ["logSoftmaxBackward"]],
    ["sum", (x) => x.sum(1), ["sum"], []],
    ["mean", (x) => x.mean([0, 1]), ["mean"], ["div"]],
    ["amax", (x) => x.amax(0), ["amax"], ["amaxBackward"]],
    ["prod", (x) => x.prod(0), ["prod"], ["prodBackward"]],
    ["var", (x) => x.var(1), ["var"], ["varBackward"]],
    ["std", (x) => x.std(), ["std"], ["stdBackward"]],
    ["norm", (x) => x.norm(), ["norm"], ["normBackward"]],
    ["logsumexp", (x) => x.logsumexp(1), ["logsumexp"], ["logsumexpBackward"]],
    ["cumsum", (x) => x.cumsum(1), ["cumsum"], ["cumsum"]],
    ["views", (x) => x.t().unsqueeze(0).expand([2, 4, 3]).select(0, 1), [], ["copy_", "copy_", "sum"]],
    ["flip", (x) => x.flip(0), ["copy"], ["copy"]],
    ["tril", (x) => x.tril(), ["tril"], ["trilBackward"]],
    ["maskedFill", (x) => x.maskedFill(x.detach().ne(x.detach()), 1), ["ne", "maskedFill"], ["maskedFillBackward"]],
    ["gather", (x) => x.gather(0, square()), ["gather"], ["copy_", "spread"]],
  ];
  test.each(rows)("%s", (_, f, forward, backward) => {
    const x = variable(ramp(3, 4));
    let y = x;
    expect(launches(() => (y = f(x)))).toEqual(forward);
    const g = y.onesLike();
    expect(launches(() => grad(y, x, { gradOutputs: [g] }))).toEqual(backward);
  });
});
