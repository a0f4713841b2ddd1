import type { Launch, Program } from "@descent/backend";
import type { Compiled, Prepare, Queue } from "./entry.ts";

/** Parameters as they were written, all but uniforms and addresses. */
interface Block {
  readonly program: Program;
  readonly bytes: number;
  readonly at: number;
  /** Where the addresses of the arguments lie in it, and the sizes of their elements. */
  bases: number;
  sizes: readonly number[];
  words: readonly number[];
}

interface Work {
  readonly compiled: Compiled;
  readonly block: Block;
  readonly units: number;
  readonly cost: number;
  readonly grain: number | undefined;
}

/** What a launch of one shape and of given strides comes to; null: a barrier. */
interface Situation {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
  readonly work: readonly (Work | null)[];
}

/** Situations remembered per kernel, the latest first. */
const remembered = 8;

function equal(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function isMet({ shape, strides }: Situation, launch: Launch): boolean {
  if (!equal(shape, launch.shape)) return false;
  for (let b = 0; b < strides.length; b++) if (!equal(strides[b]!, launch.args[b]!.strides)) return false;
  return true;
}

/** Passes on what a launch asks for, and notes it. */
class Notes implements Queue {
  readonly #queue: Queue;
  readonly #launch: Launch;
  readonly #blocks: Block[] = [];
  readonly #work: (Work | null)[] = [];
  /** Whether the same comes to the same again. */
  #repeats = true;

  constructor(queue: Queue, launch: Launch) {
    this.#queue = queue;
    this.#launch = launch;
  }

  get threads(): number {
    return this.#queue.threads;
  }

  parameters(bytes: number, program: Program, launch: Launch): number {
    const at = this.#queue.parameters(bytes, program, launch);
    this.#repeats &&= launch === this.#launch;
    this.#blocks.push({ program, bytes, at, bases: 0, sizes: [], words: [] });
    return at;
  }

  addresses(at: number, launch: Launch, sizes: readonly number[]): void {
    this.#queue.addresses(at, launch, sizes);
    const block = this.#blocks.at(-1)!;
    Object.assign(block, { bases: at - block.at, sizes });
  }

  words(at: number, values: readonly number[], scale: number, pad?: number, fill?: number): void {
    this.#queue.words(at, values, scale, pad, fill);
  }

  copyWords(at: number, count: number): number[] {
    return this.#queue.copyWords(at, count);
  }

  temporary(bytes: number, label: string): number {
    this.#repeats = false;
    return this.#queue.temporary(bytes, label);
  }

  add(compiled: Compiled, params: number, units: number, cost: number, grain?: number): void {
    this.#queue.add(compiled, params, units, cost, grain);
    const block = this.#blocks.find(({ at }) => at === params);
    if (block) this.#work.push({ compiled, block, units, cost, grain });
    else this.#repeats = false;
  }

  barrier(): void {
    this.#queue.barrier();
    this.#work.push(null);
  }

  check(address: number, fail: (word: number) => Error): void {
    this.#repeats = false;
    this.#queue.check(address, fail);
  }

  /** What was noted; null where it does not repeat. */
  situation(): Situation | null {
    if (!this.#repeats) return null;
    for (const block of this.#blocks) {
      const uniforms = 2 * block.program.uniforms.length;
      block.words = this.#queue.copyWords(block.at + 4 * uniforms, block.bytes / 4 - uniforms);
    }
    const { shape, args } = this.#launch;
    return { shape, strides: args.map(({ strides }) => strides), work: this.#work };
  }
}

function repeat({ work }: Situation, launch: Launch, queue: Queue): void {
  for (const step of work) {
    if (step === null) {
      queue.barrier();
      continue;
    }
    const { compiled, block, units, cost, grain } = step;
    const { program, bytes, bases, sizes, words } = block;
    const at = queue.parameters(bytes, program, launch);
    queue.words(at + 8 * program.uniforms.length, words, 1);
    queue.addresses(at + bases, launch, sizes);
    queue.add(compiled, at, units, cost, grain);
  }
}

/**
 * Prepares launches as `prepare` does, and remembers what it did: the next launch of this shape and these strides costs a copy of its
 * parameters. That holds as long as `prepare` looks at nothing else of a launch, which all kernels keep to.
 */
export function remembering(prepare: Prepare): Prepare {
  const known: Situation[] = [];
  return (launch, queue) => {
    for (let i = 0; i < known.length; i++) {
      const found = known[i]!;
      if (!isMet(found, launch)) continue;
      if (i > 0) [known[0], known[i]] = [found, known[0]!];
      return repeat(found, launch, queue);
    }
    const notes = new Notes(queue, launch);
    prepare(launch, notes);
    const situation = notes.situation();
    if (!situation) return;
    known.unshift(situation);
    if (known.length > remembered) known.pop();
  };
}
