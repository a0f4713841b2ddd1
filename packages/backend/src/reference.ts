import type { Backend, Buffer, Launch, Limits } from "./backend.ts";
import { checkAlloc, checkProgram, checkRange, checkWrite, closedError, foreignError, freedError } from "./check.ts";
import { type DType, dtypes, type HostArray, hostArray } from "./dtype.ts";
import { interpret } from "./interpreter.ts";

interface ReferenceBuffer extends Buffer {
  readonly data: HostArray;
}

const name = "reference";
const limits: Limits = { dtypes, maxLength: 2 ** 28, maxBindings: 64 };

/** The interpreter as a backend: the definition that every other backend is tested against. Slow by design. */
export function reference(): Backend {
  const live = new Set<Buffer>();
  const dead = new WeakSet<Buffer>();
  let open = true;
  const data = (buffer: Buffer, operation: string): HostArray => {
    if (!open) throw closedError(name, operation);
    if (dead.has(buffer)) throw freedError(operation, buffer);
    if (!live.has(buffer)) throw foreignError(name, operation, buffer);
    return (buffer as ReferenceBuffer).data;
  };
  const readSync = (buffer: Buffer, offset = 0, length = buffer.length - offset) => {
    const stored = data(buffer, "read");
    checkRange("read", buffer, offset, length);
    return stored.slice(offset, offset + length);
  };
  return {
    name,
    limits,
    alloc(dtype: DType, length: number): ReferenceBuffer {
      if (!open) throw closedError(name, "alloc");
      checkAlloc(name, limits, dtype, length);
      const buffer = { dtype, length, data: hostArray(dtype, length) };
      live.add(buffer);
      return buffer;
    },
    free(buffer) {
      data(buffer, "free");
      live.delete(buffer);
      dead.add(buffer);
    },
    write(buffer, source, offset = 0) {
      const stored = data(buffer, "write");
      checkWrite(buffer, source, offset);
      stored.set(source, offset);
    },
    read: async (buffer, offset, length) => readSync(buffer, offset, length),
    readSync,
    compile(program) {
      if (!open) throw closedError(name, "compile");
      checkProgram(name, limits, program);
      return { program };
    },
    launch({ kernel, args, shape, uniforms, label }: Launch) {
      if (!open) throw closedError(name, label);
      const hostArgs = args.map(({ buffer, offset, strides }) => ({ data: data(buffer, label), offset, strides }));
      interpret({ program: kernel.program, args: hostArgs, shape, uniforms, label });
    },
    close() {
      open = false;
      live.clear();
    },
  };
}
