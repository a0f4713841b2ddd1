import type { Tensor } from "@descent/tensor";

/** Gives the memory of `x` back to its age: nobody keeps it any more. */
export function drop(x: Tensor | undefined): void {
  for (const block of x?.blocks ?? []) x?.runtime.memory.unhold(block);
}

/** Keeps the memory of `x`, whatever its age, in the place of what was kept before. */
export function keep<T extends Tensor>(x: T, instead?: Tensor): T {
  for (const block of x.blocks) x.runtime.memory.hold(block);
  drop(instead);
  return x;
}
