import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Assembly, Fn } from "../asm/assembler.ts";
import { atomicAdd, get, I32, i32 } from "../asm/code.ts";
import { type Compiled, scratchBytes } from "../kernels/entry.ts";
import { Memory } from "../memory.ts";
import { Pool } from "./pool.ts";

const features = { shared: true, relaxed: false };
const workers = 3;
const memory = new Memory({ initial: 128, maximum: 128 }, true);
const counter = memory.alloc(64, "test");
let pool: Pool;
let compiled: Compiled;

/** Counts its pieces in the word at `params`. */
beforeAll(() => {
  const asm = new Assembly(features);
  const fn = new Fn([I32, I32, I32, I32]);
  fn.push(atomicAdd(get(0), i32(1)), 0x1a);
  asm.export("run", fn);
  const bytes = asm.bytes();
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { m: memory.memory } });
  compiled = { run: exports.run as Compiled["run"], bytes, slot: -1 };
  pool = new Pool(memory, workers, features, memory.alloc(scratchBytes, "test"));
  pool.share(compiled);
});
afterAll(() => pool.close());

const run = (units: number): number => {
  memory.i32[counter >> 2] = 0;
  pool.run([{ commands: [{ compiled, params: counter, units, grain: 1 }], check: 0 }]);
  return memory.i32[counter >> 2] as number;
};
const allAsleep = () => vi.waitFor(() => expect(pool.asleep).toBe(workers), { timeout: 20_000 });

test("workers sleep when there is nothing to do, wake for a list, and sleep again", async () => {
  await allAsleep();
  for (let round = 0; round < 3; round++) {
    for (let list = 0; list < 50; list++) expect(run(1000)).toBe(1000);
    await allAsleep();
  }
});

test("workers who were woken for nothing sleep again, and work on the next list", async () => {
  await allAsleep();
  pool.rouse();
  await allAsleep();
  expect(run(1000)).toBe(1000);
});
