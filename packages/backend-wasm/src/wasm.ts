import {
  type Backend,
  type Buffer,
  byteSize,
  checkAlloc,
  checkProgram,
  checkRange,
  checkWrite,
  closedError,
  type DType,
  dtypes,
  type HostArray,
  hostView,
  type Kernel,
  type Launch,
  type Limits,
  type Program,
} from "@descent/backend";
import type { Assembly } from "./asm/assembler.ts";
import { everywhere, hostFunctions } from "./host.ts";
import { compileProgram } from "./kernels/compile.ts";
import { type Compiled, type Entries, type Prepare, scratchBytes } from "./kernels/entry.ts";
import { Memory } from "./memory.ts";
import { resolveOptions, type WasmOptions } from "./options.ts";
import { Pool } from "./pool/pool.ts";
import { PoolRunner } from "./pool/pool-runner.ts";
import { lostBuffer, Runner, type WasmBuffer } from "./runner.ts";

interface WasmKernel extends Kernel {
  readonly prepare: Prepare;
}

const name = "wasm";
const areaBytes = 1 << 18;

/**
 * The backend in WebAssembly: SIMD, fused multiply-add where the engine has it, and threads in Node and in pages that are
 * cross-origin isolated. Launches have run when `launch` returns; the workers only help.
 *
 * @example
 * await use(wasm());
 * await use(wasm({ threads: 2, memory: { maximum: 16384 } })); // at most 1 GiB
 *
 * @throws DescentError `option` for options out of range, `unsupported` where the engine has no WebAssembly SIMD,
 * `memory` where the initial memory cannot be had.
 */
export function wasm(options: WasmOptions = {}): Backend {
  const { memoryLimits, features, threads } = resolveOptions(options);
  const memory = new Memory(memoryLimits, features.shared);
  const scratch = memory.alloc(scratchBytes, name);
  const area = memory.alloc(areaBytes, name);
  const pool = threads > 1 ? new Pool(memory, threads, features, scratch) : undefined;
  const runner = pool
    ? new PoolRunner(memory, scratch, area, areaBytes, pool)
    : new Runner(memory, scratch, area, areaBytes);
  const limits: Limits = { dtypes, maxLength: memoryLimits.maximum * 65536, maxBindings: 256 };
  const entries: Entries = {
    features,
    compile(assembly: Assembly): Compiled {
      const bytes = assembly.bytes();
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        e: { m: memory.memory },
        h: hostFunctions,
      });
      const run = instance.exports.run as Compiled["run"];
      return { run, bytes, parallel: assembly.imported.every(everywhere), slot: -1 };
    },
  };
  let open = true;
  const checked = (buffer: Buffer, operation: string): WasmBuffer => {
    if (!open) throw closedError(name, operation);
    if ((buffer as WasmBuffer).owner !== memory) throw lostBuffer(buffer, operation);
    return buffer as WasmBuffer;
  };
  /** The elements of a buffer; a view of this moment, for memory may grow. */
  const view = ({ dtype, address }: WasmBuffer, offset: number, length: number): HostArray =>
    hostView(dtype, memory.memory.buffer, address + offset * byteSize(dtype), length);
  const readSync = (buffer: Buffer, offset = 0, length = buffer.length - offset): HostArray => {
    const own = checked(buffer, "read");
    checkRange("read", buffer, offset, length);
    return view(own, offset, length).slice();
  };
  const prepare = ({ kernel }: Launch): Prepare => (kernel as WasmKernel).prepare;

  return {
    name,
    limits,
    alloc(dtype: DType, length: number): WasmBuffer {
      if (!open) throw closedError(name, "alloc");
      checkAlloc(name, limits, dtype, length);
      const address = memory.alloc(byteSize(dtype) * length, "alloc");
      return { dtype, length, address, owner: memory, read: 0, written: 0 };
    },
    free(buffer) {
      const own = checked(buffer, "free");
      memory.free(own.address);
      own.owner = null;
    },
    write(buffer, data, offset = 0) {
      const own = checked(buffer, "write");
      checkWrite(buffer, data, offset);
      view(own, offset, data.length).set(data);
    },
    read: async (buffer, offset, length) => readSync(buffer, offset, length),
    readSync,
    compile(program: Program): WasmKernel {
      if (!open) throw closedError(name, "compile");
      checkProgram(name, limits, program);
      return { program, prepare: compileProgram(program, entries) };
    },
    launch(launch: Launch): void {
      if (!open) throw closedError(name, launch.label);
      try {
        prepare(launch)(launch, runner);
      } finally {
        runner.finish();
      }
    },
    submit(launches: readonly Launch[]): void {
      if (!open) throw closedError(name, "submit");
      try {
        runner.submit(launches, prepare);
      } finally {
        runner.finish();
      }
    },
    close() {
      open = false;
      pool?.close();
    },
  };
}
