import { isDescentError } from "@descent/backend";
import { expect, test } from "vitest";
import { Assembly, Fn } from "../asm/assembler.ts";
import { atomicLoad, atomicStore, eqz, get, I32, i32 } from "../asm/code.ts";
import { type Compiled, scratchBytes } from "../kernels/entry.ts";
import { Memory } from "../memory.ts";
import { Pool } from "./pool.ts";

const features = { shared: true, relaxed: false };

/**
 * What worker and caller run: the worker says at `params` that it has begun, and then traps or never ends; the caller waits until
 * it has begun. Of two pieces, whichever the worker takes, the caller's other one lasts until the worker is there, however late.
 */
function assembled(edition: "traps" | "never ends" | "waits"): Uint8Array<ArrayBuffer> {
  const asm = new Assembly(features);
  const fn = new Fn([I32, I32, I32, I32]);
  if (edition === "waits") fn.while(eqz(atomicLoad(get(0))), () => {});
  else {
    fn.push(atomicStore(get(0), i32(1)));
    if (edition === "traps") fn.push(0x00);
    else fn.forever(() => {});
  }
  asm.export("run", fn);
  return asm.bytes();
}

const codeOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    if (isDescentError(error)) return error.code;
    throw error;
  }
  return "nothing";
};

test.each([
  ["traps", /a worker failed/],
  ["never ends", /a worker makes no progress/],
] as const)(
  "a worker that %s turns into an error, now and later",
  (edition, message) => {
    const memory = new Memory({ initial: 64, maximum: 64 }, true);
    const pool = new Pool(memory, 1, features, memory.alloc(scratchBytes, "test"), 200);
    const params = memory.alloc(64, "test");
    memory.i32[params >> 2] = 0;
    const caller = new WebAssembly.Instance(new WebAssembly.Module(assembled("waits")), { e: { m: memory.memory } });
    const compiled: Compiled = {
      run: caller.exports.run as Compiled["run"],
      bytes: assembled(edition),
      slot: -1,
    };
    pool.share(compiled);
    const run = () => pool.run([{ commands: [{ compiled, params, units: 2, grain: 1 }], check: 0 }]);
    expect(run).toThrowError(message);
    expect(codeOf(run)).toBe("internal");
    pool.close();
  },
  60_000,
);
