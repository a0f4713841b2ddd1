import {
  type Backend,
  type Buffer,
  byteSize,
  checkDType,
  DescentError,
  type DType,
  dtypes,
  type HostArray,
  hostView,
  type Kernel,
  type Launch,
  type Program,
} from "@descent/backend";
import type { Assembly } from "./asm/assembler.ts";
import { everywhere, hostFunctions } from "./host.ts";
import { compileProgram } from "./kernels/compile.ts";
import { type Compiled, type Entries, type Prepare, scratchBytes } from "./kernels/entry.ts";
import { Memory } from "./memory.ts";
import { resolveOptions, type WasmOptions } from "./options.ts";
import { Runner, type WasmBuffer } from "./runner.ts";

interface WasmKernel extends Kernel {
  readonly prepare: Prepare;
}

const areaBytes = 1 << 16;

/** The WebAssembly backend. */
export function wasm(options: WasmOptions = {}): Backend {
  const { limits, features } = resolveOptions(options);
  const memory = new Memory(limits, features.shared);
  const runner = new Runner(memory, memory.alloc(scratchBytes, "wasm"), memory.alloc(areaBytes, "wasm"), areaBytes);
  const entries: Entries = {
    features,
    compile(assembly: Assembly): Compiled {
      const bytes = assembly.bytes();
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        e: { m: memory.memory },
        h: hostFunctions,
      });
      return {
        run: instance.exports.run as Compiled["run"],
        bytes,
        parallel: assembly.imported.every(everywhere),
        slot: -1,
      };
    },
  };
  let open = true;
  const need = (operation: string): void => {
    if (!open)
      throw new DescentError("closed", operation, "the backend is closed", { backend: "wasm" }, "Make a new one.");
  };
  const addressOf = (buffer: Buffer, operation: string): number => {
    need(operation);
    const { address, dtype, length } = buffer as WasmBuffer;
    if (address < 0) throw new DescentError("freed", operation, "the buffer was freed", { dtype, length });
    return address;
  };
  const range = (operation: string, buffer: Buffer, offset: number, length: number): void => {
    if (offset >= 0 && length >= 0 && offset + length <= buffer.length) return;
    throw new DescentError("argument", operation, "outside the buffer", { offset, length, buffer: buffer.length });
  };
  const readSync = (buffer: Buffer, offset = 0, length = buffer.length - offset): HostArray => {
    const address = addressOf(buffer, "read");
    range("read", buffer, offset, length);
    const start = address + offset * byteSize(buffer.dtype);
    return hostView(buffer.dtype, memory.memory.buffer, start, length).slice();
  };

  return {
    name: "wasm",
    limits: { dtypes, maxLength: limits.maximum * 8192, maxBindings: 64 },
    alloc(dtype: DType, length: number): WasmBuffer {
      need("alloc");
      const bytes = byteSize(checkDType("alloc", dtype)) * length;
      if (!(Number.isInteger(length) && length >= 0))
        throw new DescentError("argument", "alloc", "the length must be a whole number", { length });
      return { dtype, length, address: memory.alloc(bytes, "alloc") };
    },
    free(buffer) {
      memory.free(addressOf(buffer, "free"));
      (buffer as WasmBuffer).address = -1;
    },
    write(buffer, data, offset = 0) {
      const address = addressOf(buffer, "write");
      range("write", buffer, offset, data.length);
      const start = address + offset * byteSize(buffer.dtype);
      hostView(buffer.dtype, memory.memory.buffer, start, data.length).set(data);
    },
    read: async (buffer, offset, length) => readSync(buffer, offset, length),
    readSync,
    compile(program: Program): WasmKernel {
      need("compile");
      return { program, prepare: compileProgram(program, entries) };
    },
    launch(launch: Launch): void {
      need(launch.label);
      try {
        (launch.kernel as WasmKernel).prepare(launch, runner);
      } finally {
        runner.finish();
      }
    },
    close() {
      open = false;
    },
  };
}
