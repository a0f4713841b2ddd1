import type { Block } from "./memory.ts";

/** A GPU buffer that many small blocks share; as a block it is the whole of it. */
export interface Page extends Block {
  readonly blocks: Block[];
  /** Bytes handed out, from the first on. */
  used: number;
  /** Blocks of it that are in use. */
  live: number;
}

/** The largest block that shares a buffer, unless an engine is told otherwise. */
export const usualPaged = 2 ** 19;
const [smallestPage, largestPage] = [2 ** 16, 2 ** 26];
/** Where a binding may begin, on every adapter. */
const alignment = 256;

/**
 * Small blocks, cut one after another from pages that grow with what there is. What was allocated together lies together, so that one
 * dispatch reaches many of them through few bindings. A block keeps its place; a page goes when none of its blocks is in use.
 */
export class Pages {
  readonly #make: (bytes: number) => GPUBuffer;
  readonly #nextId: () => number;
  readonly #most: number;
  readonly all = new Set<Page>();
  #current: Page | null = null;
  #bytes = 0;

  constructor(make: (bytes: number) => GPUBuffer, nextId: () => number, most: number) {
    this.#make = make;
    this.#nextId = nextId;
    this.#most = most;
  }

  cut(bytes: number): Block {
    let page = this.#current;
    if (!page || page.used + bytes > page.bytes) page = this.#open(bytes);
    const block = { ...blank(page.gpu, this.#nextId(), bytes), offset: page.used, page };
    page.used += Math.ceil(bytes / alignment) * alignment;
    page.blocks.push(block);
    return block;
  }

  drop(page: Page): void {
    this.all.delete(page);
    this.#bytes -= page.bytes;
    if (this.#current === page) this.#current = null;
  }

  #open(bytes: number): Page {
    const wanted = Math.max(smallestPage, 8 * bytes, Math.min(largestPage, this.#bytes));
    const size = Math.min(2 ** Math.ceil(Math.log2(wanted)), this.#most);
    const page: Page = { ...blank(this.#make(size), this.#nextId(), size), blocks: [], used: 0, live: 0 };
    this.all.add(page);
    this.#bytes += size;
    this.#current = page;
    return page;
  }
}

/** A block that fills its buffer and was never used. */
export const blank = (gpu: GPUBuffer, id: number, bytes: number): Block => ({
  ...{ gpu, id, bytes, offset: 0, page: null, batch: -1, freed: -1, used: -1, changed: -1 },
});
