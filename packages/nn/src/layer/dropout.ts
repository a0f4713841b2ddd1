import {
  checkOptions,
  DescentError,
  defaultGenerator,
  philoxValues,
  type RandomKey,
  record,
  runTraced,
  type Tensor,
  type Traced,
  type Value,
} from "@descent/tensor";
import { Module } from "../module.ts";

function checkProbability(operation: string, p: number): number {
  if (p >= 0 && p <= 1) return p;
  throw new DescentError("argument", operation, "p is no probability", { p }, "It is between 0 and 1. Default: 0.5.");
}

/** Operands: x, p, the factor of what is kept, and the four words that number this draw. */
const spec: Traced = {
  name: "dropout",
  key: "dropout",
  dtype: ([x]) => (x as Tensor).dtype,
  body([x, p, scale, ...words], trace) {
    const [key0, key1, stream0, stream1] = words as [Value, Value, Value, Value];
    const [value, zero] = [x as Value, trace.constant(0, "u32")];
    const index = trace.index(-1).cast("u32");
    const [bits] = philoxValues(trace, [index, zero, stream0, stream1], [key0, key1]);
    const uniform = bits
      .shr(8)
      .cast(value.type)
      .mul(2 ** -24);
    return [uniform.ge(p as Value).select(value.mul(scale as Value), 0)];
  },
};

/** The same elements are dropped for the same key: the derivative is this very operation, on the gradient. */
function drop(x: Tensor, p: number, key: RandomKey): Tensor {
  const scale = p === 1 ? 0 : 1 / (1 - p);
  const [y] = runTraced(spec, [x.detach(), p, scale, ...key], { contiguous: true });
  return record("dropout", [x], y as Tensor, (g) => [drop(g, p, key)]);
}

/**
 * Sets elements to 0 with probability `p` (default 0.5) and multiplies the others by 1 / (1 − p); without `training` (default true)
 * gives `x` back (torch.nn.functional.dropout). One launch each way, and no mask in memory: it is drawn anew.
 * Srivastava et al. 2014.
 */
export function dropout(x: Tensor, p = 0.5, options: { readonly training?: boolean } = {}): Tensor {
  checkOptions("dropout", options, ["training"]);
  checkProbability("dropout", p);
  const { training = true } = options;
  return training && p > 0 ? drop(x, p, defaultGenerator.next()) : x;
}

/** `dropout` while training, nothing in evaluation (torch.nn.Dropout). */
export class Dropout extends Module {
  readonly p: number;
  constructor(p = 0.5) {
    super();
    this.p = checkProbability("Dropout", p);
  }
  override forward(x: Tensor): Tensor {
    return dropout(x, this.p, { training: this.training });
  }
  protected override extraRepr(): string {
    return `p=${this.p}`;
  }
}
