import type { Tensor } from "@descent/tensor";
import { randn } from "@descent/tensor";
import { waitedFor } from "../peers/jax.ts";
import type { TfModule, TfTensor } from "../peers/tfjs.ts";
import { freed, kept } from "../prepare.ts";
import type { Task } from "../task.ts";

/** An operation on one random tensor, in every library that has it. */
export interface Simple {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bytes?: number;
  readonly calls?: number;
  readonly descent: (x: Tensor) => unknown;
  readonly tfjs?: (x: TfTensor, tf: TfModule) => TfTensor;
  /** Consumes `x`. */
  // biome-ignore lint/suspicious/noExplicitAny: a library without types here
  readonly jax?: (x: any, jax: any) => any;
  /** An expression of `x`. */
  readonly torch: string;
  readonly missing?: Task["missing"];
}

/** The task that measures it. */
export const simple = ({ name, shape, bytes, calls = 1, missing, ...on }: Simple): Task => {
  const { tfjs, jax } = on;
  return {
    name,
    calls,
    ...(bytes && { bytes }),
    ...(missing && { missing }),
    descent: () => {
      const [x] = kept(randn(shape));
      return freed([x], () => on.descent(x), calls);
    },
    ...(tfjs && {
      tfjs: (tf) => {
        const x = tf.randomNormal(shape) as TfTensor;
        const run = () => {
          for (let i = 0; i < calls; i++) tfjs(x, tf).dispose();
        };
        return { run, dispose: () => x.dispose() };
      },
    }),
    ...(jax && {
      jax: (module) => {
        const x = module.random.normal(module.random.key(0), shape);
        const f = module.jit((y: unknown) => jax(y, module));
        return { ...waitedFor(() => f(x.ref), calls), dispose: () => x.dispose() };
      },
    }),
    torch: { setup: `x = torch.randn(${shape.join(", ")})`, run: on.torch },
  };
};
