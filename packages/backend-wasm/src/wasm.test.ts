import { buildMap, isDescentError, Trace, type Value } from "@descent/backend";
import { afterEach, describe, expect, test, vi } from "vitest";
import { wasm } from "./wasm.ts";

const codeOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    if (isDescentError(error)) return error.code;
    throw error;
  }
  return "nothing";
};

const doubled = () => {
  const trace = new Trace({ kind: "map", rank: 1 });
  trace.output("float32", "flat", (trace.input("float32") as Value).mul(2));
  return buildMap(trace).program;
};

afterEach(() => vi.unstubAllGlobals());

describe("options", () => {
  test.each([
    [{ threads: 0 }],
    [{ threads: 1.5 }],
    [{ threads: 100_000 }],
    [{ memory: { maximum: 65537 } }],
    [{ memory: { maximum: 1 } }],
    [{ memory: { initial: 1000, maximum: 999 } }],
  ])("%j is refused", (options) => {
    expect(codeOf(() => wasm(options))).toBe("option");
  });

  test("memory.maximum holds", () => {
    const backend = wasm({ threads: 1, memory: { maximum: 128 } });
    expect(codeOf(() => backend.alloc("float32", 2_000_000))).toBe("memory");
    const most = backend.alloc("float32", 1_000_000);
    expect(codeOf(() => backend.alloc("float32", 1_000_000))).toBe("memory");
    backend.free(most);
    backend.free(backend.alloc("float32", 1_000_000));
    backend.close();
  });

  test("memory that the engine does not give", () => {
    const none = class {
      constructor() {
        throw new RangeError("could not allocate memory");
      }
    };
    vi.stubGlobal("WebAssembly", Object.create(WebAssembly, { Memory: { value: none } }));
    expect(() => wasm({ threads: 1, memory: { initial: 256, maximum: 1024 } })).toThrowErrorMatchingInlineSnapshot(`
      [DescentError: wasm: the engine does not give this much memory
        initial 16.0 MiB
        maximum 64.0 MiB
        shared  false
      Lower memory.initial and memory.maximum: shared memory reserves its maximum at once.]
    `);
  });

  test("an engine without SIMD is sent to the cpu backend", () => {
    vi.stubGlobal("WebAssembly", { ...WebAssembly, validate: () => false });
    expect(() => wasm()).toThrowErrorMatchingInlineSnapshot(`
      [DescentError: wasm: this engine has no WebAssembly SIMD
      Use the cpu backend instead: import { cpu } from "@descent/backend-cpu".]
    `);
  });

  test("without shared memory there is one thread, which is said once", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.stubGlobal("crossOriginIsolated", false);
    wasm({ threads: 2 }).close();
    wasm({ threads: 2 }).close();
    expect(warn.mock.calls).toEqual([
      ["@descent/backend-wasm: using one thread, because the page is not cross-origin isolated."],
    ]);
    warn.mockRestore();
  });
});

describe("two at once", () => {
  test("work side by side and do not take each other's buffers", () => {
    const [left, right] = [wasm({ threads: 2 }), wasm({ threads: 1 })];
    const program = doubled();
    for (const backend of [left, right]) {
      const [a, b] = [backend.alloc("float32", 5), backend.alloc("float32", 5)];
      backend.write(a, new Float32Array([1, 2, 3, 4, 5]));
      const args = [a, b].map((buffer) => ({ buffer, offset: 0, strides: [] }));
      backend.launch({ kernel: backend.compile(program), args, shape: [5], uniforms: [], label: "double" });
      expect(backend.readSync?.(b)).toEqual(new Float32Array([2, 4, 6, 8, 10]));
    }
    const foreign = left.alloc("float32", 1);
    expect(codeOf(() => right.free(foreign))).toBe("device");
    left.close();
    expect(codeOf(() => left.alloc("float32", 1))).toBe("closed");
    right.free(right.alloc("float32", 1));
    right.close();
  });
});

test("data written before memory grows is there afterwards", () => {
  const backend = wasm({ threads: 1, memory: { initial: 64 } });
  const small = backend.alloc("int32", 3);
  backend.write(small, new Int32Array([7, 8, 9]));
  for (let k = 0; k < 10; k++) backend.alloc("float32", 1_000_000);
  expect(backend.readSync?.(small)).toEqual(new Int32Array([7, 8, 9]));
  backend.close();
});

test.each([1, 2])("addresses beyond 2 GiB work, with %i threads", (threads) => {
  const backend = wasm({ threads });
  const n = 500_000;
  // Memory that nobody touches costs nothing.
  const below = Array.from({ length: 3 }, () => backend.alloc("float32", 200_000_000));
  const [a, b] = [backend.alloc("float32", n), backend.alloc("float32", n)];
  backend.write(a, new Float32Array(n).fill(1.5));
  const args = [a, b].map((buffer) => ({ buffer, offset: 0, strides: [] }));
  backend.launch({ kernel: backend.compile(doubled()), args, shape: [n], uniforms: [], label: "double" });
  const found = backend.readSync?.(b) as Float32Array;
  expect(found.every((x) => x === 3)).toBe(true);
  for (const buffer of [a, b, ...below]) backend.free(buffer);
  backend.close();
});
