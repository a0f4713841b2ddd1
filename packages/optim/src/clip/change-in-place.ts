import type { Tensor, Traced, Value } from "@descent/tensor";
import { alike, Launches } from "../core/launches.ts";

/** Without those whose memory came before: two parameters may have been given one gradient. */
function distinct(tensors: readonly Tensor[]): Tensor[] {
  const offsets = new Map<Tensor["storage"], number[]>();
  return tensors.filter(({ storage, offset }) => {
    const seen = offsets.get(storage) ?? [];
    if (seen.includes(offset)) return false;
    offsets.set(storage, [...seen, offset]);
    return true;
  });
}

/**
 * Changes tensors in place, element by element: as many of one size as a launch can take. `f` also gets `by`, a number or a tensor
 * of one element.
 */
export function changeInPlace(
  operation: string,
  tensors: readonly Tensor[],
  by: Tensor | number,
  f: (x: Value, by: Value) => Value,
): void {
  const launches = new Launches();
  for (const run of alike(distinct(tensors.filter((x) => x.size > 0)))) {
    const [x] = run as [Tensor];
    const spec: Traced = {
      name: operation,
      key: `${operation} ${run.length}`,
      dtype: () => x.dtype,
      outputs: (computed) => run.map(() => computed),
      body: ([value, ...values]) => values.map((v) => f(v, value as Value)),
    };
    const targets = run.map((_, k) => k + 1);
    launches.addRun(spec, [by], run, targets);
  }
  launches.submit();
}
