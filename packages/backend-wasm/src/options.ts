import { DescentError } from "@descent/backend";
import type { Features } from "./asm/assembler.ts";
import { Assembly, Fn } from "./asm/assembler.ts";
import { type Code, f32, I32, simd } from "./asm/code.ts";
import type { MemoryLimits } from "./memory.ts";
import { cores, isPage, noThreads } from "./pool/spawn.ts";

const mostThreads = 256;

export interface WasmOptions {
  /** Threads that work on one launch, the calling one included; all cores by default. */
  readonly threads?: number;
  /** Pages of 64 KiB; `maximum` is at most 65536 (4 GiB), its default. */
  readonly memory?: { readonly initial?: number; readonly maximum?: number };
  /** Whether to use fused multiply-add where the engine has it; it does by default. */
  readonly relaxedSimd?: boolean;
  /**
   * Whether launches have run when `launch` returns, and values can be read at once. By default they do, except in a page's
   * main thread: there workers run them, or slices of at most 8 ms, and values are awaited.
   */
  readonly blocking?: boolean;
}

/** A module with one function, which gives whether a lane of `vector` is not 0. */
function probe(vector: Code): Uint8Array<ArrayBuffer> {
  const fn = new Fn([], [I32]);
  fn.push(simd(83, vector));
  const asm = new Assembly({ shared: false, relaxed: true });
  asm.export("f", fn);
  return asm.bytes();
}

const accepts = (vector: Code): boolean => typeof WebAssembly === "object" && WebAssembly.validate(probe(vector));
const number = (value: number): Code => simd(19, f32(value));

/** Whether the engine multiplies and adds in one rounding: it may have the instruction where the processor has none. */
function fuses(): boolean {
  const sum = simd(0x105, number(1 + 2 ** -12), number(1 - 2 ** -12), number(-1));
  if (!accepts(sum)) return false;
  try {
    const e = { m: new WebAssembly.Memory({ initial: 1 }) };
    return (new WebAssembly.Instance(new WebAssembly.Module(probe(sum)), { e }).exports.f as () => number)() === 1;
  } catch {
    return false; // No memory: who makes the backend's says so.
  }
}

const whole = (name: string, value: number, least: number, most: number): number => {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new DescentError("option", "wasm", `${name} must be a whole number from ${least} to ${most}`, {
    [name]: value,
  });
};

export interface Resolved {
  readonly memoryLimits: MemoryLimits;
  readonly features: Features;
  readonly threads: number;
  readonly blocking: boolean;
}

let said = false;
/** Says once why there is one thread only. */
function sayOnce(reason: string): void {
  if (!said) console.warn(`@descent/backend-wasm: using one thread, because ${reason}.`);
  said = true;
}

/** Checks the options and what the engine can do. */
export function resolveOptions({ threads, memory = {}, relaxedSimd = true, ...rest }: WasmOptions): Resolved {
  if (!accepts(simd(228, number(0), number(0)))) {
    throw new DescentError(
      "unsupported",
      "wasm",
      "this engine has no WebAssembly SIMD",
      {},
      'Use the cpu backend instead: import { cpu } from "@descent/backend-cpu".',
    );
  }
  const maximum = whole("memory.maximum", memory.maximum ?? 65536, 64, 65536);
  const wanted = whole("threads", threads ?? Math.min(cores(), mostThreads), 1, mostThreads);
  const reason = wanted > 1 ? noThreads() : "";
  if (reason) sayOnce(reason);
  const granted = reason ? 1 : wanted;
  const blocking = rest.blocking ?? !isPage();
  // Not to block takes a worker even for one thread, unless there can be none.
  const shared = granted > 1 || (!blocking && noThreads() === "");
  // Every thread has scratch memory of its own.
  const least = 48 + 16 * granted;
  const initial = whole("memory.initial", memory.initial ?? Math.min(128 + least, maximum), 1, maximum);
  return {
    memoryLimits: { initial: Math.min(Math.max(initial, least), maximum), maximum },
    features: { shared, relaxed: relaxedSimd && fuses() },
    threads: granted,
    blocking,
  };
}
