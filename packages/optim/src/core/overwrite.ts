import { runTraced, type Tensor, type Traced } from "@descent/tensor";

const spec: Traced = {
  name: "overwrite",
  key: "overwrite",
  overwrites: true,
  dtype: ([target]) => (target as Tensor).dtype,
  body: ([, value]) => [value!],
};

/** Writes `value`, broadcast and cast, over the elements of `target`; nothing is recorded. */
export function overwrite(target: Tensor, value: Tensor | number): void {
  if (target.size === 0) return;
  runTraced(spec, [target, value], { into: [0] });
  target.storage.version++;
}
