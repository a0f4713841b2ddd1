import type { Shader } from "../wgsl/shader.ts";
import { groupSize } from "./constants.ts";
import type { Block } from "./memory.ts";
import type { Stream } from "./stream.ts";

interface Waiting {
  readonly blocks: readonly Block[];
  readonly groups: number;
  readonly label: string;
  /** Where its parameters lie. */
  readonly at: number;
}

/** Launches of one code over different memory, which wait for more of them to share a dispatch. Whatever else is recorded settles them first. */
export class Joiner {
  readonly #stream: Stream;
  #one: Shader | null = null;
  #joined: Shader | null = null;
  #waiting: Waiting[] = [];

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Whether a launch of `one` can wait beside those that wait: it reads nothing that they write, and writes nothing that they use. */
  fits(one: Shader, blocks: readonly Block[]): boolean {
    if (this.#waiting.length === 0) return true;
    if (this.#one !== one) return false;
    const { slots } = one;
    return this.#waiting.every((other) =>
      other.blocks.every((block, k) => {
        for (let j = 0; j < blocks.length; j++)
          if (blocks[j] === block && (slots[k] === "w" || slots[j] === "w")) return false;
        return true;
      }),
    );
  }

  push(one: Shader, joined: Shader, waiting: Waiting): void {
    this.#one = one;
    this.#joined = joined;
    this.#waiting.push(waiting);
    if (this.#waiting.length * one.slots.length === joined.slots.length) this.settle();
  }

  /** Records all that wait: together if there are enough of them, else one by one. */
  settle(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const [one, joined] = [this.#one as Shader, this.#joined as Shader];
    if (waiting.length * one.slots.length === joined.slots.length) {
      const blocks = waiting.flatMap((each) => each.blocks);
      const groups = waiting.reduce((sum, each) => sum + each.groups, 0);
      this.#dispatch(joined, { ...(waiting[0] as Waiting), blocks, groups });
    } else for (const each of waiting) this.#dispatch(one, each);
  }

  #dispatch(shader: Shader, { blocks, groups, label, at }: Waiting): void {
    const { pipelines } = this.#stream;
    this.#stream.dispatch(shader, pipelines.get(shader), at, blocks, groups, label, groups * groupSize * 16);
  }
}
