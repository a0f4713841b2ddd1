import {
  type Backend,
  type Buffer,
  checkAlloc,
  checkProgram,
  checkRange,
  checkWrite,
  closedError,
  type DType,
  dtypes,
  foreignError,
  freedError,
  type HostArray,
  interpret,
  type Kernel,
  type Launch,
  type Limits,
  type Program,
} from "@descent/backend";
import { compile, type Run } from "./compile.ts";
import { type CpuBuffer, Memory } from "./memory.ts";
import { canGenerate } from "./probe.ts";

export interface CpuOptions {
  /** Bytes of freed memory that are kept for reuse. Default 256 MiB. */
  readonly poolBytes?: number;
}

interface CpuKernel extends Kernel {
  readonly run: Run;
}

const name = "cpu";
const limits: Limits = { dtypes, maxLength: 2 ** 31 - 1, maxBindings: 1024 };

/**
 * The backend in pure TypeScript: runs anywhere JavaScript runs, computes at once, and reads without waiting. Programs become
 * JavaScript functions; where a content security policy forbids that, they are interpreted, slowly.
 *
 * @example
 * await use(cpu());
 */
export function cpu({ poolBytes = 256 * 2 ** 20 }: CpuOptions = {}): Backend {
  const memory = new Memory(poolBytes);

  /** The buffer as one of ours that is alive. */
  const checked = (buffer: Buffer, operation: string): CpuBuffer => {
    if (!memory.open) throw closedError(name, operation);
    const { owner } = buffer as CpuBuffer;
    if (owner === memory) return buffer as CpuBuffer;
    throw owner === null ? freedError(operation, buffer) : foreignError(name, operation, buffer);
  };
  const readSync = (buffer: Buffer, offset = 0, length = buffer.length - offset): HostArray => {
    const { data } = checked(buffer, "read");
    checkRange("read", buffer, offset, length);
    return data.slice(offset, offset + length);
  };
  const launch = ({ kernel, args, shape, uniforms, label }: Launch): void => {
    if (!memory.open) throw closedError(name, label);
    for (let k = 0; k < args.length; k++) {
      const buffer = args[k]!.buffer as CpuBuffer;
      if (buffer.owner !== memory) checked(buffer, label);
    }
    (kernel as CpuKernel).run(args, shape, uniforms, label);
  };
  return {
    name,
    limits,
    alloc(dtype: DType, length: number): Buffer {
      if (!memory.open) throw closedError(name, "alloc");
      checkAlloc(name, limits, dtype, length);
      return memory.alloc(dtype, length);
    },
    free(buffer) {
      memory.free(checked(buffer, "free"));
    },
    write(buffer, source, offset = 0) {
      const { data } = checked(buffer, "write");
      checkWrite(buffer, source, offset);
      data.set(source, offset);
    },
    read: async (buffer, offset, length) => readSync(buffer, offset, length),
    readSync,
    compile(program: Program): CpuKernel {
      if (!memory.open) throw closedError(name, "compile");
      checkProgram(name, limits, program);
      if (!canGenerate()) return { program, run: interpreted(program) };
      const { source, run } = compile(program);
      return { program, source, run };
    },
    launch,
    submit(launches) {
      if (!memory.open) throw closedError(name, "submit");
      for (const one of launches) launch(one);
    },
    close() {
      memory.open = false;
      memory.clear();
    },
  };
}

/** Runs a program without generated code. */
const interpreted =
  (program: Program): Run =>
  (args, shape, uniforms, label) => {
    const hostArgs = args.map(({ buffer, offset, strides }) => ({ data: (buffer as CpuBuffer).data, offset, strides }));
    interpret({ program, args: hostArgs, shape, uniforms, label });
  };
