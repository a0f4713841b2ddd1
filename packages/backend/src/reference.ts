import type { Backend, Buffer, Launch } from "./backend.ts";
import { type DType, dtypes, type HostArray, hostArray } from "./dtype.ts";
import { DescentError } from "./error.ts";
import { interpret } from "./interpreter.ts";

interface ReferenceBuffer extends Buffer {
  readonly data: HostArray;
}

/** The interpreter as a backend: the definition that every other backend is tested against. Slow by design. */
export function reference(): Backend {
  const live = new Set<Buffer>();
  let open = true;
  const data = (buffer: Buffer, operation: string): HostArray => {
    if (!open)
      throw new DescentError("closed", operation, "the backend is closed", { backend: "reference" }, "Make a new one.");
    if (!live.has(buffer))
      throw new DescentError("freed", operation, "the buffer was freed", {
        dtype: buffer.dtype,
        length: buffer.length,
      });
    return (buffer as ReferenceBuffer).data;
  };
  const readSync = (buffer: Buffer, offset = 0, length = buffer.length - offset) =>
    data(buffer, "read").slice(offset, offset + length);
  return {
    name: "reference",
    limits: { dtypes, maxLength: 2 ** 28, maxBindings: 64 },
    alloc(dtype: DType, length: number): ReferenceBuffer {
      if (!open)
        throw new DescentError("closed", "alloc", "the backend is closed", { backend: "reference" }, "Make a new one.");
      const buffer = { dtype, length, data: hostArray(dtype, length) };
      live.add(buffer);
      return buffer;
    },
    free(buffer) {
      data(buffer, "free");
      live.delete(buffer);
    },
    write(buffer, source, offset = 0) {
      data(buffer, "write").set(source, offset);
    },
    read: async (buffer, offset, length) => readSync(buffer, offset, length),
    readSync,
    compile: (program) => ({ program }),
    launch({ kernel, args, shape, uniforms, label }: Launch) {
      const hostArgs = args.map(({ buffer, offset, strides }) => ({ data: data(buffer, label), offset, strides }));
      interpret({ program: kernel.program, args: hostArgs, shape, uniforms, label });
    },
    close() {
      open = false;
      live.clear();
    },
  };
}
