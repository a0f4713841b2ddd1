import type { Fused } from "../kernels/map-fused.ts";
import type { Together } from "../kernels/recorder.ts";
import type { Shader } from "../wgsl/shader.ts";
import { groupSize } from "./constants.ts";
import { formOf } from "./forms.ts";
import type { Block, Memory } from "./memory.ts";
import type { Page } from "./pages.ts";
import type { Stream } from "./stream.ts";

interface Waiting {
  readonly blocks: readonly Block[];
  readonly groups: number;
  readonly label: string;
  /** Where its parameters lie. */
  readonly at: number;
}

/** How launches share a dispatch: through pages, or with bindings of their own. */
export type Way = Fused | Shader;

const isFused = (way: Way): way is Fused => "pages" in way;

/** How a launch over these blocks can share a dispatch; null: not at all. */
export function wayOf({ fused, joined }: Together, blocks: readonly Block[]): Way | null {
  return fused && blocks.length <= fused.pages && blocks.every(({ page }) => page) ? fused : joined;
}

/** How many launches have to wait before they share a dispatch, and how many can. */
const fewest = (way: Way, one: Shader): number => (isFused(way) ? 2 : way.slots.length / one.slots.length);
const most = (way: Way, one: Shader): number => (isFused(way) ? way.launches : way.slots.length / one.slots.length);

/** The shader that a run of launches like this one comes to need, at the `inRow`th; null: none yet. */
export function sharedShader(way: Way, one: Shader, blocks: readonly Block[], inRow: number): Shader | null {
  if (inRow !== fewest(way, one)) return null;
  return isFused(way) ? way.shader : formOf(way, Array.from({ length: inRow }, () => blocks).flat());
}

/** Launches of one code over different memory, which wait for more of them to share a dispatch. Whatever else is recorded settles them first. */
export class Joiner {
  readonly #stream: Stream;
  readonly #memory: Memory;
  #one: Shader | null = null;
  #way: Way | null = null;
  #waiting: Waiting[] = [];
  #pages: Page[] = [];
  /** Blocks are marked with the number of the launches that wait together. */
  #turn = 0;

  constructor(stream: Stream, memory: Memory) {
    this.#stream = stream;
    this.#memory = memory;
  }

  /** Whether a launch can wait beside those that wait: it reads nothing that they write, writes nothing that they use, and there is room. */
  fits(one: Shader, way: Way, blocks: readonly Block[]): boolean {
    if (this.#waiting.length === 0) return true;
    if (this.#one !== one || this.#way !== way) return false;
    const { slots } = one;
    for (let k = 0; k < blocks.length; k++) {
      const { used, changed } = blocks[k] as Block;
      if (changed === this.#turn || (used === this.#turn && slots[k] === "w")) return false;
    }
    if (!isFused(way)) return true;
    const known = this.#pages.length;
    this.#reach(blocks);
    if (this.#pages.length <= way.pages) return true;
    this.#pages.length = known;
    return false;
  }

  push(one: Shader, way: Way, waiting: Waiting): void {
    this.#one = one;
    this.#way = way;
    this.#waiting.push(waiting);
    const { blocks } = waiting;
    const { slots } = one;
    for (let k = 0; k < blocks.length; k++) {
      const block = blocks[k] as Block;
      block.used = this.#turn;
      if (slots[k] === "w") block.changed = this.#turn;
    }
    if (isFused(way)) this.#reach(blocks);
    if (this.#waiting.length === most(way, one)) this.settle();
  }

  /** Adds the pages of blocks to those that are reached. */
  #reach(blocks: readonly Block[]): void {
    for (const { page } of blocks) if (!this.#pages.includes(page as Page)) this.#pages.push(page as Page);
  }

  /** Records all that wait: together if there are enough of them, else one by one. */
  settle(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const [one, way, pages] = [this.#one as Shader, this.#way as Way, this.#pages];
    this.#waiting = [];
    this.#pages = [];
    this.#turn++;
    if (waiting.length < fewest(way, one)) for (const each of waiting) this.#dispatch(one, each);
    else if (isFused(way)) this.#dispatchFused(way, waiting, pages);
    else {
      const blocks = waiting.flatMap((each) => each.blocks);
      const groups = waiting.reduce((sum, each) => sum + each.groups, 0);
      this.#dispatch(way, { ...(waiting[0] as Waiting), blocks, groups });
    }
  }

  /** Tells every launch where in which page its blocks are. */
  #dispatchFused(fused: Fused, waiting: readonly Waiting[], pages: readonly Page[]): void {
    const { words, batch } = this.#stream;
    const [first] = waiting as [Waiting];
    let groups = 0;
    for (const { at, blocks, groups: own } of waiting) {
      const start = at >> 2;
      words[start + fused.firstWord] = groups;
      groups += own;
      for (let k = 0; k < blocks.length; k++) {
        const { offset, page } = blocks[k] as Block;
        words[start + (fused.offsetWords[k] as number)]! += offset >> 2;
        words[start + (fused.pageWords[k] as number)] = pages.indexOf(page as Page);
        blocks[k]!.batch = batch;
      }
    }
    words[(first.at >> 2) + fused.countWord] = waiting.length;
    const blocks: Block[] = [...pages];
    while (blocks.length < fused.pages) blocks.push(this.#memory.spare(blocks.length));
    this.#dispatch(fused.shader, { ...first, blocks, groups });
  }

  #dispatch(plain: Shader, { blocks, groups, label, at }: Waiting): void {
    const shader = formOf(plain, blocks);
    const pipeline = this.#stream.pipelines.get(shader);
    this.#stream.dispatch(shader, pipeline, at, blocks, groups, label, groups * groupSize * 16);
  }
}
