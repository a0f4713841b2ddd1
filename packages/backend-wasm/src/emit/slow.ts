import { Fn } from "../asm/assembler.ts";
import type { Code } from "../asm/code.ts";
import { eq, get, i32, simd, V128 } from "../asm/code.ts";
import type { Emit } from "./operations.ts";
import { Vector } from "./vector.ts";

/**
 * `fast` where `usual` holds in every lane of float32 vectors, and otherwise `slow`, which knows everything and is a function of its own:
 * that costs little where it is not called.
 */
export const orSlow =
  (name: string, usual: (v: Vector, ...x: Code[]) => Code, slow: Emit, fast: Emit): Emit =>
  (v, type, operands, from) => {
    const { fn, asm, width } = v;
    const result = fn.local(V128);
    const make = () => {
      const params = operands.map(() => V128);
      const own = new Fn(params, [V128]);
      const inner = new Vector(own, asm, width);
      own.push(
        slow(
          inner,
          type,
          params.map((_, n) => get(n)),
          from,
        ),
      );
      return own;
    };
    fn.if(
      eq(simd(164, usual(v, ...operands)), i32(15)),
      () => fn.set(result, fast(v, type, operands, from)),
      () => fn.set(result, asm.callHelper(`slow ${name}`, make, ...operands)),
    );
    return get(result);
  };
