import { type CreateOptions, empty, tensor } from "../create.ts";
import { full, ones, zeros } from "../fill.ts";
import { to } from "../ops/copy.ts";
import type { Operand } from "../ops/define.ts";
import { bernoulli_, type GeneratorOption, normal_, uniform_ } from "../ops/draw.ts";
import type { Tensor } from "../tensor.ts";
import type { Nested } from "../tensor-base.ts";
import { LinearMethods } from "./linear-methods.ts";

type NewOptions = Pick<CreateOptions, "dtype">;
const here = ({ dtype, backend }: LinearMethods, options: NewOptions): CreateOptions => ({
  dtype,
  backend,
  ...options,
});

/** Methods that convert, fill with random numbers, or make tensors like this one. */
export abstract class CreateMethods extends LinearMethods {
  /** This tensor in another dtype: itself where it has it already. */
  float(this: Tensor): Tensor {
    return to(this, "float32");
  }
  double(this: Tensor): Tensor {
    return to(this, "float64");
  }
  half(this: Tensor): Tensor {
    return to(this, "float16");
  }
  bfloat16(this: Tensor): Tensor {
    return to(this, "bfloat16");
  }
  int(this: Tensor): Tensor {
    return to(this, "int32");
  }
  long(this: Tensor): Tensor {
    return to(this, "int64");
  }
  bool(this: Tensor): Tensor {
    return to(this, "bool");
  }
  typeAs(this: Tensor, other: Tensor): Tensor {
    return to(this, other.dtype);
  }

  /** Fills this tensor with numbers uniform in [low, high), by default [0, 1). */
  uniform_(this: Tensor, low?: number, high?: number, options?: GeneratorOption): Tensor {
    return uniform_(this, low, high, options);
  }
  /** Fills this tensor with normal numbers, by default of mean 0 and standard deviation 1. */
  normal_(this: Tensor, mean?: number, std?: number, options?: GeneratorOption): Tensor {
    return normal_(this, mean, std, options);
  }
  /** Fills this tensor with ones, of probability `p` (default 0.5), and zeros. */
  bernoulli_(this: Tensor, p?: Operand, options?: GeneratorOption): Tensor {
    return bernoulli_(this, p, options);
  }

  /** A tensor in this one's dtype (unless another is given) and on its backend. */
  newTensor(data: Nested, options: NewOptions = {}): Tensor {
    return tensor(data, here(this, options));
  }
  newEmpty(shape: readonly number[], options: NewOptions = {}): Tensor {
    return empty(shape, here(this, options));
  }
  newZeros(shape: readonly number[], options: NewOptions = {}): Tensor {
    return zeros(shape, here(this, options));
  }
  newOnes(shape: readonly number[], options: NewOptions = {}): Tensor {
    return ones(shape, here(this, options));
  }
  newFull(shape: readonly number[], value: number, options: NewOptions = {}): Tensor {
    return full(shape, value, here(this, options));
  }
}
