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
import { hostFunctions } from "./host.ts";
import { compileProgram } from "./kernels/compile.ts";
import { type Compiled, type Entries, type Prepare, scratchBytes } from "./kernels/entry.ts";
import { Memory } from "./memory.ts";
import { resolveOptions, type WasmOptions } from "./options.ts";
import { DeferredRunner } from "./pool/deferred-runner.ts";
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
  const { memoryLimits, features, threads, blocking } = resolveOptions(options);
  const memory = new Memory(memoryLimits, features.shared);
  const scratch = memory.alloc(scratchBytes, name);
  const area = memory.alloc(areaBytes, name);
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
      return { run, bytes, slot: -1 };
    },
  };
  // A thread that must not block does not work itself.
  const workers = blocking ? threads - 1 : threads;
  const pool = features.shared ? new Pool(memory, workers, features, scratch) : undefined;
  const runner = makeRunner();
  let open = true;
  const checked = (buffer: Buffer, operation: string): WasmBuffer => {
    if (!open) throw closedError(name, operation);
    if ((buffer as WasmBuffer).owner !== memory) throw lostBuffer(buffer, operation);
    return buffer as WasmBuffer;
  };
  /** The elements of a buffer; a view of this moment, for memory may grow. */
  const view = ({ dtype, address }: WasmBuffer, offset: number, length: number): HostArray =>
    hostView(dtype, memory.memory.buffer, address + offset * byteSize(dtype), length);
  /** What copies elements out, when it is called. */
  const taking = (buffer: Buffer, offset = 0, length = buffer.length - offset): (() => HostArray) => {
    const own = checked(buffer, "read");
    checkRange("read", buffer, offset, length);
    return () => view(own, offset, length).slice();
  };
  const prepare = ({ kernel }: Launch): Prepare => (kernel as WasmKernel).prepare;

  return {
    name,
    limits,
    alloc(dtype: DType, length: number): WasmBuffer {
      if (!open) throw closedError(name, "alloc");
      checkAlloc(name, limits, dtype, length);
      const address = runner.alloc(byteSize(dtype) * length, "alloc");
      return { dtype, length, address, owner: memory, read: 0, written: 0 };
    },
    free(buffer) {
      const own = checked(buffer, "free");
      runner.free(own);
      own.owner = null;
    },
    write(buffer, data, offset = 0) {
      const own = checked(buffer, "write");
      checkWrite(buffer, data, offset);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      runner.write(own, offset * byteSize(own.dtype), bytes);
    },
    read: async (buffer, offset, length) => runner.read(buffer as WasmBuffer, taking(buffer, offset, length)),
    ...(blocking && {
      readSync: (buffer: Buffer, offset?: number, length?: number) => taking(buffer, offset, length)(),
    }),
    compile(program: Program): WasmKernel {
      if (!open) throw closedError(name, "compile");
      checkProgram(name, limits, program);
      return { program, prepare: compileProgram(program, entries) };
    },
    launch(launch: Launch): void {
      if (!open) throw closedError(name, launch.label);
      runner.launch(launch, prepare);
    },
    submit(launches: readonly Launch[]): void {
      if (!open) throw closedError(name, "submit");
      runner.submit(launches, prepare);
    },
    close() {
      open = false;
      runner.close(closedError(name, "read"));
      pool?.close();
    },
  };

  function makeRunner(): Runner {
    if (!blocking) return new DeferredRunner(memory, scratch, area, areaBytes, entries, pool);
    return pool ? new PoolRunner(memory, scratch, area, areaBytes, pool) : new Runner(memory, scratch, area, areaBytes);
  }
}
