import { Tensor } from "@descent/tensor";

/** What an algorithm written as a generator asks for: values of tensors of one element, or the result of a function. */
export type Request = readonly Tensor[] | (() => unknown);

const isPromise = (x: unknown): x is Promise<unknown> =>
  typeof (x as Promise<unknown> | undefined)?.then === "function";

/** Numbers where they can be had at once, else a promise of them. */
const read = (tensors: readonly Tensor[]): number[] | Promise<number[]> =>
  tensors.every(({ backend }) => backend.readSync)
    ? tensors.map((x) => x.itemSync())
    : Promise.all(tensors.map((x) => x.item()));

/**
 * Runs an algorithm that is written once for both worlds: every `yield` of a request gives its answer. The result comes at once
 * unless an answer had to be waited for; then it is a promise.
 */
export function drive<R>(algorithm: Generator<Request, R, unknown>): R | Promise<R> {
  const go = (answer: unknown): R | Promise<R> => {
    let value = answer;
    for (;;) {
      const next = algorithm.next(value);
      if (next.done) return next.value;
      value = typeof next.value === "function" ? next.value() : read(next.value);
      if (isPromise(value)) return value.then(go, (error) => resume(error));
    }
  };
  // A failed wait surfaces inside the algorithm, as a failed call does.
  const resume = (error: unknown): R | Promise<R> => {
    const next = algorithm.throw(error);
    return next.done ? next.value : go(undefined);
  };
  return go(undefined);
}

/** Asks for numbers. */
export function* numbers(...tensors: Tensor[]): Generator<Request, number[], unknown> {
  return (yield tensors) as number[];
}

/** The number in a loss: it may be one already. */
export function* lossValue(loss: unknown): Generator<Request, number, unknown> {
  if (loss instanceof Tensor) return ((yield [loss.detach()]) as number[])[0] as number;
  return Number(loss);
}
