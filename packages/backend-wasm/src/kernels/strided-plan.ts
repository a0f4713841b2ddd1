import type { Launch, Program } from "@descent/backend";
import { collapse } from "@descent/backend";
import type { Fn } from "../asm/assembler.ts";
import { add, type Code, get, I32, load, memory } from "../asm/code.ts";
import { Axes } from "../emit/axes.ts";
import { bytesOf } from "../emit/storage.ts";
import type { Queue } from "./entry.ts";
import { isStrided, Layout } from "./layout.ts";

/** Loads and stores of 1, 2, 4 and 8 bytes, for elements that are moved and not looked at. */
const moves: Readonly<Record<number, readonly [load: number, store: number]>> = {
  1: [0x2d, 0x3a],
  2: [0x2f, 0x3b],
  4: [0x28, 0x36],
  8: [0x29, 0x37],
};

/** Copies one element of `bytes` bytes. */
export function copyElement(bytes: number, from: Code, to: Code): Code {
  const [read, write] = moves[bytes]!;
  return memory(write, 0, to, memory(read, 0, from));
}

/** Copies `bytes` bytes. */
export const copyBytes = (from: Code, to: Code, bytes: Code): Code => [to, from, bytes, 0xfc, 10, 0, 0];

/** Parameters of programs without instructions: bases, extents, strides of the strided bindings, and some words of their own. */
export class StridedPlan {
  readonly program: Program;
  readonly rank: number;
  readonly bases: number;
  readonly extents: number;
  readonly strides: readonly number[];
  readonly own: number;
  readonly bytes: number;
  readonly sizes: readonly number[];

  constructor(program: Program & { readonly rank: number }, ownWords: number) {
    this.program = program;
    this.rank = Math.max(1, program.rank);
    const layout = new Layout(program);
    this.bases = layout.words(program.bindings.length);
    this.extents = layout.words(this.rank);
    this.strides = program.bindings.map((binding) => (isStrided(binding) ? layout.words(this.rank) : -1));
    this.own = layout.words(ownWords);
    this.bytes = layout.bytes;
    this.sizes = program.bindings.map(({ dtype }) => bytesOf(dtype));
  }

  /** Writes bases, extents and strides; gives the address. With `lines` the last axis stays by itself. */
  write(launch: Launch, queue: Queue, lines = false): number {
    const { program, rank } = this;
    const p = queue.parameters(this.bytes, program, launch);
    queue.addresses(p + this.bases, launch, this.sizes);
    const strided = program.bindings.flatMap((binding, b) => (isStrided(binding) ? [b] : []));
    const own = strided.map((b) => launch.args[b]!.strides);
    const split = Math.max(0, launch.shape.length - 1);
    const merged = collapse(launch.shape, own, lines ? [0, split] : []);
    let { shape, operands } = merged;
    if (lines && merged.fences[1] === shape.length) {
      // The last axis had extent 1 and was dropped.
      shape = [...shape, launch.shape.at(-1) ?? 1];
      operands = operands.map((strides) => [...strides, 0]);
    }
    const pad = rank - shape.length;
    queue.words(p + this.extents, shape, 1, pad, 1);
    strided.forEach((b, k) => {
      queue.words(p + this.strides[b]!, operands[k]!, this.sizes[b]!, pad, 0);
    });
    return p;
  }

  axes(fn: Fn): Axes {
    return new Axes(fn, get(0), this.extents, this.rank);
  }

  base(binding: number): Code {
    return load(get(0), this.bases + 4 * binding);
  }

  /** Stride of the last axis, in bytes. */
  lastStride(binding: number): Code {
    return load(get(0), this.strides[binding]! + 4 * (this.rank - 1));
  }

  word(n: number): Code {
    return load(get(0), this.own + 4 * n);
  }
}

/** Parameters of an entry point: parameters, from, to, scratch. */
export const entryParams = [I32, I32, I32, I32];
export const plus = (local: number, amount: Code): Code => add(get(local), amount);
