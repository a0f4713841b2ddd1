import { isDescentError } from "@descent/backend";
import { expect, test } from "vitest";
import { Assembly, Fn } from "../asm/assembler.ts";
import { get, I32, i32, load, store } from "../asm/code.ts";
import { type Compiled, scratchBytes } from "../kernels/entry.ts";
import { Memory } from "../memory.ts";
import { Pool } from "./pool.ts";

const features = { shared: true, relaxed: false };

/** A function that counts its pieces at `params` or, the worker's edition, fails. */
function assembled(fails: boolean): Uint8Array<ArrayBuffer> {
  const asm = new Assembly(features);
  const fn = new Fn([I32, I32, I32, I32]);
  if (fails) fn.push(0x00);
  else {
    // Long enough that a worker gets its turn.
    const left = fn.int(i32(2_000_000));
    fn.while(get(left), () => {
      fn.push(store(get(0), get(left)));
      fn.set(left, [load(get(0)), i32(1), 0x6b]);
    });
  }
  asm.export("run", fn);
  return asm.bytes();
}

test("a worker that fails turns into an error, now and later", () => {
  const memory = new Memory({ initial: 64, maximum: 64 }, true);
  const pool = new Pool(memory, 2, features, memory.alloc(scratchBytes, "test"));
  const params = memory.alloc(64, "test");
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assembled(false)), { e: { m: memory.memory } });
  const compiled: Compiled = {
    run: instance.exports.run as Compiled["run"],
    bytes: assembled(true),
    parallel: true,
    slot: -1,
  };
  pool.share(compiled);
  const run = () => pool.run([{ commands: [{ compiled, params, units: 1000, grain: 1 }], check: 0 }]);
  expect(run).toThrowError(/a worker failed/);
  expect(run).toThrowError(/a worker failed/);
  try {
    run();
  } catch (error) {
    expect(isDescentError(error) && error.code).toBe("internal");
  }
  pool.close();
});
