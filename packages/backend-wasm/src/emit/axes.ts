import type { Fn } from "../asm/assembler.ts";
import { add, brIf, type Code, divU, get, I32, i32, load, ltU, mul, remU } from "../asm/code.ts";

/** Index variables over some axes whose extents lie in the parameters, `extents` bytes in. */
export class Axes {
  readonly fn: Fn;
  readonly params: Code;
  readonly extents: number;
  readonly index: readonly number[];

  constructor(fn: Fn, params: Code, extents: number, count: number) {
    this.fn = fn;
    this.params = params;
    this.extents = extents;
    this.index = Array.from({ length: count }, () => fn.local(I32));
  }

  extent(axis: number): Code {
    return load(this.params, this.extents + 4 * axis);
  }

  /** Sets the index variables of the first `count` axes from a linear number. */
  decompose(linear: Code, count = this.index.length): void {
    const rest = this.fn.int(linear);
    for (let axis = count - 1; axis > 0; axis--) {
      this.fn.set(this.index[axis]!, remU(get(rest), this.extent(axis)));
      this.fn.set(rest, divU(get(rest), this.extent(axis)));
    }
    if (count > 0) this.fn.set(this.index[0]!, get(rest));
  }

  reset(count = this.index.length): void {
    for (let axis = 0; axis < count; axis++) this.fn.set(this.index[axis]!, i32(0));
  }

  /** Moves to the next index of the first `count` axes, in row-major order. */
  advance(count = this.index.length): void {
    const step = this.fn.capture(() => {
      for (let axis = count - 1; axis >= 0; axis--) {
        const index = this.index[axis]!;
        this.fn.set(index, add(get(index), i32(1)));
        this.fn.push(brIf(0, ltU(get(index), this.extent(axis))));
        this.fn.set(index, i32(0));
      }
    });
    this.fn.push(0x02, 0x40, step, 0x0b);
  }

  /** `base` moved by the first `count` indices times the strides that lie `strides` bytes in. */
  address(base: Code, strides: number, count = this.index.length): Code {
    let sum = base;
    for (let axis = 0; axis < count; axis++) {
      sum = add(sum, mul(get(this.index[axis]!), load(this.params, strides + 4 * axis)));
    }
    return sum;
  }
}
